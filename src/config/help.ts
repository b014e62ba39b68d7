import { stringifyJson } from "../base/exact-json.js";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import { type CommandSyntax, isList, runSyntax } from "./command-line.js";
import { usageOf } from "./flags.js";
import type { MergedMixin } from "./mixin.js";
import { cliOptions, runOptions, shortOptions, type ToolOption } from "./run-options.js";
import { flagName, snakeName } from "./text/names.js";
import { shorts } from "./text/words.js";
import { isBranch, isNull, type Tree, toPlain } from "./tree.js";

/** What every page of flags has. `width`: columns of the terminal. */
interface Page {
  readonly usage: string;
  readonly help: string;
  readonly options: Readonly<Record<string, ToolOption>>;
  /** Paragraphs under the flags. */
  readonly notes?: readonly string[];
  readonly width?: number | undefined;
}

function renderPage({ usage, help, options, notes = [], width = 100 }: Page): string {
  const rows = Object.entries(options).map(([name, spec]) => [termOf(name, spec), descriptionOf(spec)] as const);
  const flags = rows.length === 0 ? [] : [`Flags:\n${twoColumns(rows, width)}`];
  return `${[`Usage: ${usage}`, wrap(help, width).join("\n"), ...flags, ...notes].join("\n\n")}\n`;
}

interface CommandHelp extends CommandSyntax {
  readonly help: string;
  readonly notes?: readonly string[];
}

/** `kagurazaka COMMAND -h` */
export function renderCommandHelp(command: CommandHelp, width?: number): string {
  const { help, options, takes, notes = [] } = command;
  const ofRun =
    "The flags of a run may follow. `kagurazaka TASK_FILE -h` lists the task's, `kagurazaka -hb` the backbone's, `kagurazaka -hk` all of kagurazaka's.";
  return renderPage({
    usage: usageOf(command),
    help,
    options: { ...options, help: { type: "boolean", help: "This page." } },
    notes: [...notes, ...(takes ? [wrap(ofRun, width ?? 100).join("\n")] : [])],
    width,
  });
}

interface ToolHelp {
  /** Rows of the list of commands. */
  readonly commands: readonly (readonly [string, string])[];
  /** Names of the ready-made tasks. */
  readonly tasks: readonly string[];
  readonly width?: number;
}

/** `kagurazaka -hk` */
export function renderToolHelp({ commands, tasks, width = 100 }: ToolHelp): string {
  return renderPage({
    usage: "kagurazaka TASK_FILE [TASK_NAME] [flags]",
    help: "Runs a task over its items and skips what is finished. Every flag of kagurazaka itself:",
    options: { ...cliOptions, ...shortOptions, ...runOptions },
    notes: [
      `Commands, in place of the task file:\n${twoColumns(commands, width)}`,
      `Ready-made tasks: ${tasks.map((name) => `@${name}`).join(", ")} (kagurazaka @exec -h).`,
      examples,
      "Flags may be spelled in kebab-case, snake_case or camelCase. Task file and name stand first or last.",
    ],
    width,
  });
}

const examples = `Examples:
  kagurazaka task.ts MyTask --backbone mp --num_process 16
  kagurazaka task.ts MyTask --cfg base.yaml --mixin-cfg site.yaml --mixin hard_shard_mode.input_path=in output_mode.ext=.txt
  kagurazaka @exec --in photos --out small -- convert {} -resize 50% {output.path}
  kagurazaka task.ts MyTask --dry-run --sample 1%`;

type BackboneHelp = Pick<Page, "help" | "options" | "width"> & { readonly name: string };

/** `kagurazaka -hb` */
export function renderBackboneHelp({ name, help, options, width }: BackboneHelp): string {
  const notes = Object.keys(options).length === 0 ? ["It has no flags of its own."] : [];
  const usage = `kagurazaka TASK_FILE [TASK_NAME] --backbone ${name} [flags]`;
  return renderPage({ usage, help, options, notes, width });
}

interface TaskHelp {
  readonly name: string;
  /** Of a ready-made task that takes an export: `FILE#EXPORT`. */
  readonly argument?: string | undefined;
  /** `static help`. */
  readonly help?: string | undefined;
  readonly options: OptionSpecs;
  readonly rawArgs?: boolean;
  /** `static defaults`, as written. */
  readonly defaults?: Readonly<Record<string, unknown>> | undefined;
  /** From `previewMixin`: keys of the template with the values they have now. */
  readonly mixin?: MergedMixin | undefined;
  readonly width?: number;
}

/** `kagurazaka TASK_FILE -h` */
export function renderTaskHelp(task: TaskHelp): string {
  const { name, argument, help, options, mixin, rawArgs, defaults = {}, width } = task;
  return renderPage({
    usage: argument === undefined ? usageOf(runSyntax) : `kagurazaka @${name} ${argument} [flags]`,
    help: help ?? `The task ${name}.`,
    options,
    notes: [
      ...(Object.keys(options).length === 0 ? ["It declares no options of its own."] : []),
      ...(rawArgs ? ["Unknown flags and arguments are passed to the task as they are."] : []),
      ...(Object.keys(defaults).length > 0 ? [`Unless you say otherwise: ${defaultsHelp(defaults)}.`] : []),
      ...(mixin ? [mixinHelp(mixin)] : []),
      "See also -hb (flags of the backbone) and -hk (flags of kagurazaka).",
    ],
    width,
  });
}

function termOf(name: string, spec: ToolOption): string {
  const short = Object.keys(shorts).find((letter) => shorts[letter] === snakeName(name));
  return `${short === undefined ? "" : `${short}, `}${flagName(name)}${argumentOf(spec)}`;
}

function argumentOf(spec: ToolOption): string {
  if (spec.type === "boolean") return "";
  const shown = spec.placeholder ?? spec.choices?.join("|") ?? spec.type.toUpperCase();
  if (spec.bare) return ` [${shown}]`;
  return isList(spec) ? ` <${shown}...>` : ` <${shown}>`;
}

function descriptionOf(spec: OptionSpec): string {
  const help = spec.help ?? "";
  const facts: string[] = [];
  if (spec.required) facts.push("required");
  if (spec.choices && spec.placeholder === undefined) facts.push(`one of ${spec.choices.join(", ")}`);
  if (spec.default !== undefined && spec.default !== false && !/default/i.test(help))
    facts.push(`default: ${defaultText(spec)}`);
  return facts.length === 0 ? help : `${help}${help === "" ? "" : " "}(${facts.join("; ")})`;
}

function defaultText(spec: OptionSpec): string {
  if (typeof spec.default === "number" && spec.type === "duration")
    return spec.default % 1000 === 0 ? `${spec.default / 1000}s` : `${spec.default}ms`;
  return typeof spec.default === "string" ? spec.default : JSON.stringify(spec.default);
}

const defaultsHelp = (defaults: Readonly<Record<string, unknown>>): string =>
  Object.entries(defaults)
    .map(([name, value]) => `${flagName(name)} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" ");

function mixinHelp(mixin: MergedMixin): string {
  const lines = mixin.fields.flatMap(({ field, tree, definition }) => {
    const name = snakeName(field);
    if (!isBranch(tree) || !definition) return [row(name, isNull(tree) ? "null (off)" : show(tree), "")];
    const own = Object.entries(definition.fields).map(([key, spec]) => {
      const unset = spec.required ? "(required)" : "(not set)";
      const preset = spec.default === undefined ? unset : JSON.stringify(spec.default);
      return row(`${name}.${snakeName(key)}`, Object.hasOwn(tree, key) ? show(tree[key]!) : preset, spec.help ?? "");
    });
    return [row(`${name}.use`, definition.name, definition.help), ...own];
  });
  return ["Mixin keys and their values now (--mixin key=value; ??? must be filled in):", ...lines].join("\n");
}

const show = (tree: Tree): string => stringifyJson(toPlain(tree)) ?? "";
const row = (key: string, value: string, help: string): string =>
  `  ${key.padEnd(36)} ${value}${help === "" ? "" : `  — ${help.split("\n")[0]}`}`;

const MAX_TERM = 36;
const MIN_TEXT = 24;

/** Rows of a term and what it means. The meaning is wrapped at `width`; a long term has a line of its own. */
export function twoColumns(rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.max(0, ...rows.map(([term]) => term.length).filter((length) => length <= MAX_TERM));
  const margin = " ".repeat(left + 4);
  return rows
    .map(([term, text]) => {
      const lines = wrap(text, Math.max(MIN_TEXT, width - margin.length));
      const head = term.length > left ? `  ${term}\n${margin}` : `  ${term.padEnd(left)}  `;
      return `${head}${lines.join(`\n${margin}`)}`.trimEnd();
    })
    .join("\n");
}

/** Lines of at most `width` characters, where no word is longer. */
function wrap(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const longer = lines.at(-1) === "" ? word : `${lines.at(-1)} ${word}`;
    if (longer.length <= width || lines.at(-1) === "") lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
