/**
 * Conformance suites for plug-ins: what every backbone and every mode must do. They take the `it` of a test runner: Vitest,
 * node:test, Jest and others of that shape.
 *
 * ```ts
 * import { it } from "node:test";
 * import { testBackbone } from "kagurazaka/testing";
 * import mine from "./my-backbone.js";
 *
 * testBackbone(mine, { it, options: { size: 2 } });
 * ```
 */
export { type BackboneSuite, testBackbone } from "./testing/backbone.js";
export { type FleetSuite, testFleet } from "./testing/fleet.js";
export { type FormatSample, type FormatSuite, testFormat } from "./testing/format.js";
export { type InputModeSuite, testInputMode } from "./testing/input-mode.js";
export type { It } from "./testing/it.js";
export { type OutputModeSuite, testOutputMode } from "./testing/output-mode.js";
export { readSampleJournal, type SampleEvent, type SampleItem, SampleTask } from "./testing/sample-task.js";
