import { resolve } from "node:path";
import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import { type Assignment, combineAssignments, parseAssignment } from "./mixin/assignment.js";
import type { RawInput } from "./raw-input.js";
import { Report } from "./report.js";
import { type Branch, createBranch, isBranch, isNull, keyOriginOf, Leaf, List, originOf, type Tree } from "./tree.js";

/** The contents of configuration files and mixins, as trees. */
export interface Layers {
  /** The whole --cfg. */
  readonly cfg: Branch;
  readonly configPath: string | undefined;
  /** `task:` over `backbone:` by the names as written; what is not given is left out. */
  readonly section: Branch;
  /** Low → high, above the decorator. */
  readonly mixins: readonly Branch[];
  /** Those of `mixins` that come from `mixin:` of --cfg and from the words after --mixin. */
  readonly ofCfg: Branch | undefined;
  readonly ofWords: Branch | undefined;
  readonly mistakes: readonly KagurazakaError[];
}

const cache = new WeakMap<RawInput, Promise<Layers>>();

/** Loads the files once per input: the peek before owners are known and the resolution after it see the same bytes. */
export function loadLayers(input: RawInput, cwd: string): Promise<Layers> {
  const layers = cache.get(input) ?? readLayers(input, cwd);
  cache.set(input, layers);
  return layers;
}

async function readLayers(input: RawInput, cwd: string): Promise<Layers> {
  const report = new Report();
  const attempt = <T>(reading: Promise<T>): Promise<T | undefined> =>
    reading.catch((error) => void report.mistake(error));
  const load = async (path: string | undefined, flag: string): Promise<Branch | undefined> => {
    if (path === undefined) return undefined;
    const { loadYamlFile } = await import("./yaml-file.js");
    return attempt(loadYamlFile(path, flag, cwd));
  };
  const cfg = (await load(input.cfg, "--cfg")) ?? createBranch({ kind: "file", text: input.cfg ?? "--cfg" });
  const mixinCfg = await load(input.mixinCfg, "--mixin-cfg");
  const section = createBranch(originOf(cfg));
  for (const name of ["backbone", "task"]) {
    const part = report.attempt(() => mappingOf(cfg, name));
    for (const [key, value] of Object.entries(part ?? {})) section[key] = bareFlag(value);
  }
  const assignments: Assignment[] = [];
  const flag = input.line ? "--mixin" : "options.mixin";
  for (const word of input.assignments) {
    const assignment = await attempt(parseAssignment(word, flag));
    if (assignment) assignments.push(assignment);
  }
  const ofCfg = report.attempt(() => mappingOf(cfg, "mixin"));
  const ofWords = assignments.length > 0 ? report.attempt(() => combineAssignments(assignments)) : undefined;
  return {
    cfg,
    configPath: input.cfg === undefined ? undefined : resolve(cwd, input.cfg),
    section,
    mixins: [ofCfg, mixinCfg, input.mixinTree, ofWords].filter((layer) => layer !== undefined),
    ofCfg,
    ofWords,
    mistakes: report.mistakes,
  };
}

function mappingOf(cfg: Branch, name: string): Branch | undefined {
  const part: Tree | undefined = Object.hasOwn(cfg, name) ? cfg[name] : undefined;
  if (part === undefined || isNull(part)) return undefined;
  if (isBranch(part)) return part;
  throw new KagurazakaError("config-file", `${name}: must hold a mapping`, { where: originOf(part).text });
}

/** The Python tool writes a flag without a value as the string `store_true`. */
const bareFlag = (value: Tree): Tree =>
  value instanceof Leaf && value.value === "store_true" ? new Leaf(true, value.origin) : value;

const sections = ["task", "backbone", "mixin"];

/** A key at the top that is no section and that no `${…}` anywhere refers to would silently do nothing. */
export function unusedKeys({ cfg, mixins }: Layers): KagurazakaError[] {
  const used = new Set<string>(sections);
  for (const tree of [cfg, ...mixins]) collectReferred(tree, used);
  const hint = "A file has the sections task, backbone and mixin; others are for ${…} to refer to.";
  return Object.entries(cfg).flatMap(([key, value]) => {
    if (used.has(key)) return [];
    const message = `nothing reads the section "${key}".${didYouMean(key, sections)}`;
    return [new KagurazakaError("config-file", message, { where: keyOriginOf(value), hint })];
  });
}

/** First segments of what references name. Read from the texts, because an overridden reference is never followed. */
function collectReferred(tree: Tree, used: Set<string>): void {
  if (tree instanceof Leaf) {
    if (typeof tree.value !== "string") return;
    for (const [, name] of tree.value.matchAll(/\$\{\s*([^\s.:{}[\],]+)/g)) used.add(name!);
    return;
  }
  for (const child of tree instanceof List ? tree.items : Object.values(tree)) collectReferred(child, used);
}
