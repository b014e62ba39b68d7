import { expect, test } from "vitest";
import { loadBuiltin } from "../../src/builtins.js";
import { fleetOptions } from "../../src/cli/fleet-options.js";

test("commands of a fleet declare the flags that the backbone declares", async () => {
  const { options } = (await loadBuiltin("backbones", "bullmq"))!;
  const withoutHelp = (specs: typeof options) =>
    Object.fromEntries(Object.entries(specs).map(([name, { help: _, ...spec }]) => [name, spec]));
  expect(withoutHelp(fleetOptions)).toEqual(withoutHelp(options));
});
