import { resolve } from "node:path";
import { KagurazakaError } from "../base/errors.js";
import { didYouMean } from "../base/nearest.js";
import { type Assignment, combineAssignments, parseAssignment } from "./mixin/assignment.js";
import { mergeBranches } from "./mixin/merge.js";
import type { RawInput } from "./raw-input.js";
import { Report } from "./report.js";
import { snakeName, spellings } from "./text/names.js";
import {
  type Branch,
  createBranch,
  isBranch,
  isNull,
  keyOriginOf,
  Leaf,
  List,
  originOf,
  referredKey,
  type Tree,
} from "./tree.js";

/** One --cfg. */
interface ConfigFile {
  readonly cfg: Branch;
  readonly mixin: Branch | undefined;
}

/** The contents of configuration files and mixins, as trees. */
export interface Layers {
  /** Of a run of another machine, below all others. */
  readonly base: Branch | undefined;
  /** Low → high. */
  readonly files: readonly ConfigFile[];
  /** All of --cfg, merged. */
  readonly cfg: Branch;
  /** Of the last --cfg. */
  readonly configPath: string | undefined;
  /** `task:` over `backbone:` by the names as written, each file over those before it; what is not given is left out. */
  readonly section: Branch;
  /** Low → high: those of --mixin-cfg and of a mixin tree from code. */
  readonly between: readonly Branch[];
  /** The words after --mixin. */
  readonly ofWords: Branch | undefined;
  readonly mistakes: readonly KagurazakaError[];
}

/** All layers over the decorator, low → high. */
export const mixinsOf = ({ base, files, between, ofWords }: Layers): Branch[] =>
  [base, ...files.map(({ mixin }) => mixin), ...between, ofWords].filter((layer) => layer !== undefined);

/** Each is merged over all before it. */
const MAX_FILES = 100;
const MAX_ASSIGNMENTS = 10_000;

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
  const load = async (paths: readonly string[], flag: string): Promise<Branch[]> => {
    if (paths.length > MAX_FILES) {
      report.refuse("usage", `${flag} is given ${paths.length} times; at most ${MAX_FILES} files are read`, {
        where: flag,
      });
      return [];
    }
    const { loadYamlFile } = await import("./yaml-file.js");
    const trees: Branch[] = [];
    for (const path of paths) {
      const tree = await attempt(loadYamlFile(path, flag, cwd));
      if (tree) trees.push(tree);
    }
    return trees;
  };
  const cfgs = input.cfg.length > 0 ? await load(input.cfg, "--cfg") : [];
  const mixinCfgs = input.mixinCfg.length > 0 ? await load(input.mixinCfg, "--mixin-cfg") : [];
  const nothing = createBranch({ kind: "file", text: input.cfg.at(-1) ?? "--cfg" });
  const files = cfgs.map((cfg) => ({ cfg, mixin: report.attempt(() => mappingOf(cfg, "mixin")) }));
  const ofSections = cfgs.map((cfg) => {
    const section = createBranch(originOf(cfg));
    for (const name of ["backbone", "task"]) {
      const part = report.attempt(() => mappingOf(cfg, name));
      for (const [key, value] of Object.entries(part ?? {})) section[key] = bareFlag(value);
    }
    return section;
  });
  const assignments: Assignment[] = [];
  const flag = input.line ? "--mixin" : "options.mixin";
  if (input.assignments.length > MAX_ASSIGNMENTS)
    report.refuse("usage", `${flag} has ${input.assignments.length} values; at most ${MAX_ASSIGNMENTS} are read`, {
      where: flag,
    });
  for (const word of input.assignments.slice(0, MAX_ASSIGNMENTS)) {
    const assignment = await attempt(parseAssignment(word, flag));
    if (assignment) assignments.push(assignment);
  }
  const configPath = input.cfg.at(-1);
  return {
    base: input.base?.mixin,
    files,
    cfg: cfgs.length > 0 ? cfgs.reduce(mergeBranches) : nothing,
    configPath: configPath === undefined ? undefined : resolve(cwd, configPath),
    section: ofSections.length > 0 ? ofSections.reduce(mergeSections) : nothing,
    between: input.mixinTree ? [...mixinCfgs, input.mixinTree] : mixinCfgs,
    ofWords: assignments.length > 0 ? report.attempt(() => combineAssignments(assignments)) : undefined,
    mistakes: report.mistakes,
  };
}

/** Flags of one file over those of another. `a_b` and `aB` are one flag there, while in one file they are a mistake. */
function mergeSections(lower: Branch, upper: Branch): Branch {
  const merged = createBranch(originOf(upper), Object.entries(lower));
  const below = spellings(Object.keys(lower));
  for (const [key, value] of Object.entries(upper)) {
    const name = below.get(snakeName(key));
    const before = name === undefined ? undefined : lower[name];
    if (name !== undefined) delete merged[name];
    merged[key] = isBranch(before) && isBranch(value) ? mergeBranches(before, value) : value;
  }
  return merged;
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

/** A key at the top that is no section and that neither `${…}` anywhere nor an alias refers to would silently do nothing. */
export function unusedKeys(layers: Layers): KagurazakaError[] {
  const used = new Set<string>(sections);
  for (const tree of [...layers.files.map(({ cfg }) => cfg), ...mixinsOf(layers)]) collectReferred(tree, used);
  const hint =
    "A file has the sections task, backbone and mixin; others are for ${…} and aliases to refer to, or are called x-….";
  return layers.files.flatMap(({ cfg }) =>
    Object.entries(cfg).flatMap(([key, value]) => {
      // As in files of other tools: what only some of those use that share the file.
      if (used.has(key) || key.startsWith("x-") || cfg[referredKey]?.has(key)) return [];
      const message = `nothing reads the section "${key}".${didYouMean(key, sections)}`;
      return [new KagurazakaError("config-file", message, { where: keyOriginOf(value), hint })];
    }),
  );
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
