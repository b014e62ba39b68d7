import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { testFleet } from "../../dist/src/testing.js";
import { openToyQueue } from "../fixtures/backbones/toy-queue.js";

const module = fileURLToPath(new URL("../fixtures/backbones/toy-fleet.ts", import.meta.url));

describe("the toy fleet", () => testFleet({ it, module, openQueue: openToyQueue }));
