import { describe, it } from "vitest";
import inline from "../../dist/backbones/inline.js";
import mp from "../../dist/backbones/mp.js";
import { testBackbone } from "../../dist/src/testing.js";
import outsider from "../fixtures/backbones/outsider.js";

describe("inline", () => testBackbone(inline, { it }));
describe("mp", () => testBackbone(mp, { it, options: { numProcess: "2" } }));
describe("mp, in processes", () => testBackbone(mp, { it, options: { numProcess: "2", isolation: "process" } }));
describe("a third party's backbone, from the kit alone", () => testBackbone(outsider, { it, options: { hands: 2 } }));
