import assert from "node:assert/strict";
import type { OptionSpecs } from "../base/option-spec.js";
import type { Fields, ModeDefinition, ModeKind } from "../contracts/modes.js";

/** The given fields of a mode, or options of a backbone, over the declared defaults. */
export function filledFields(specs: OptionSpecs, fields: Fields): Fields {
  for (const name of Object.keys(fields)) assert.ok(Object.hasOwn(specs, name), `no field "${name}" is declared`);
  const defaults = Object.entries(specs).filter(([, spec]) => spec.default !== undefined);
  return { ...Object.fromEntries(defaults.map(([name, spec]) => [name, spec.default])), ...fields };
}

export function assertDescribed(mode: ModeDefinition, kind: ModeKind): void {
  assert.equal(mode.contract, 1);
  assert.equal(mode.kind, kind);
  assert.match(mode.name, /^[A-Z]\w*$/);
  assert.ok(mode.help.length > 0, "no help");
  for (const [name, spec] of Object.entries(mode.fields)) {
    assert.match(name, /^[a-z][A-Za-z0-9]*$/, "fields are declared in camelCase");
    assert.ok(spec.help, `${name} has no help`);
  }
}
