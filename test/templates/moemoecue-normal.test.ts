import { describe, expect, test } from "vitest";
import * as door from "../../src/index.js";
import { modeDefinitionOf, type TemplateUse, templateBrand } from "../../src/kit.js";

const {
  FinishCheckByLedger,
  FinishCheckByOutputFileExistence,
  InputByExts,
  KagurazakaTask,
  moemoecueNormal,
  NoHardShard,
  OutputByApendingExt,
  SoftShard,
} = door;

const modes = {
  hardShardMode: NoHardShard({ inputPath: "in", outputPath: door.KAGURAZAKA_MIXIN_PLACEHOLDER }),
  inputMode: InputByExts({ exts: [".txt"] }),
  outputMode: OutputByApendingExt({ ext: ".json" }),
  finishCheckMode: FinishCheckByOutputFileExistence(),
};

const useOf = (target: object) => (target as Record<symbol, TemplateUse>)[templateBrand];

test("leaves the modes on the class, as data, with a soft shard that a mixin can merge into", () => {
  @moemoecueNormal(modes)
  class Task extends KagurazakaTask {
    process() {}
  }
  expect(Object.hasOwn(Task, templateBrand)).toBe(true);
  expect(Object.keys(Task)).toEqual([]);
  expect(useOf(Task)).toMatchObject({
    contract: 1,
    name: "moemoecueNormal",
    kind: "item",
    mixinMode: true,
    atomic: true,
  });
  expect(JSON.parse(JSON.stringify(useOf(Task)?.spec))).toEqual({
    hardShardMode: { use: "NoHardShard", inputPath: "in", outputPath: "???" },
    softShard: { use: "SoftShard" },
    inputMode: { use: "InputByExts", exts: [".txt"] },
    outputMode: { use: "OutputByApendingExt", ext: ".json" },
    finishCheckMode: { use: "FinishCheckByOutputFileExistence" },
  });
  expect(modeDefinitionOf(useOf(Task)?.spec.inputMode)?.name).toBe("InputByExts");
});

test("is not inherited: a subclass has to say its own template", () => {
  @moemoecueNormal(modes)
  class Parent extends KagurazakaTask {
    process() {}
  }
  class Child extends Parent {}
  expect(Object.hasOwn(Child, templateBrand)).toBe(false);
});

test("null switches a mode off, undefined says nothing, flags are kept", () => {
  @moemoecueNormal({ ...modes, softShard: null, inputMode: undefined, mixinMode: false, atomic: false })
  class Task extends KagurazakaTask {
    process() {}
  }
  expect(useOf(Task)).toMatchObject({ mixinMode: false, atomic: false, spec: { softShard: null } });
  expect(Object.keys(useOf(Task)?.spec ?? {})).not.toContain("inputMode");
});

test("apply: false does nothing", () => {
  @moemoecueNormal({ ...modes, apply: false })
  class Task extends KagurazakaTask {
    process() {}
  }
  expect(useOf(Task)).toBeUndefined();
});

test("a whole mode may be a placeholder; a check by ledger needs no output mode", () => {
  const PLACEHOLDER = door.KAGURAZAKA_MIXIN_PLACEHOLDER;
  moemoecueNormal({ ...modes, inputMode: PLACEHOLDER, outputMode: PLACEHOLDER, softShard: PLACEHOLDER });
  moemoecueNormal({ hardShardMode: modes.hardShardMode, finishCheckMode: FinishCheckByLedger() });
});

describe("used wrongly, it says so while the file loads", () => {
  const any = moemoecueNormal as (spec?: unknown) => (target: object, context?: unknown) => void;
  class Task extends KagurazakaTask {
    process() {}
  }

  test.each<[string, () => unknown, RegExp]>([
    ["without modes", () => any(), /needs its modes/],
    ["without calling it", () => any(Task), /needs its modes/],
    ["without a hard shard mode", () => any({ inputMode: modes.inputMode }), /needs a hardShardMode/],
    [
      "a check without an output mode",
      () => any({ ...modes, outputMode: undefined }),
      /finishCheckMode but no outputMode/,
    ],
    [
      "a check with the output mode off",
      () => any({ ...modes, outputMode: null }),
      /finishCheckMode but no outputMode/,
    ],
    [
      "a mode in the wrong slot",
      () => any({ ...modes, inputMode: modes.outputMode }),
      /inputMode is OutputByApendingExt, which is a mode for outputMode/,
    ],
    [
      "a mode that was not called",
      () => any({ ...modes, softShard: SoftShard }),
      /softShard is a mode that was not called/,
    ],
    ["something else", () => any({ ...modes, inputMode: { exts: [".txt"] } }), /inputMode is not a mode/],
    ["a text", () => any({ ...modes, inputMode: "InputByExts" }), /inputMode is not a mode/],
    [
      "an unknown field",
      () => any({ ...modes, inputMod: modes.inputMode }),
      /no field "inputMod"\. Did you mean "inputMode"/,
    ],
    ["a legacy decorator call", () => any(modes)(Task), /legacy decorator/],
    ["on a method", () => any(modes)(Task, { kind: "method", name: "process" }), /stands on a method/],
    [
      "two templates",
      () => {
        const context = { kind: "class", name: "Twice" };
        class Twice {}
        any(modes)(Twice, context);
        any(modes)(Twice, context);
      },
      /class Twice has two templates/,
    ],
  ])("%s", (_, attempt, message) => {
    expect(attempt).toThrow(
      expect.objectContaining({
        code: "not-a-task",
        message: expect.stringMatching(message),
        hint: expect.stringMatching(/\.$/),
      }),
    );
  });
});
