import { createRequire } from "node:module";
import type * as commander from "commander";
import type { OptionSpec, OptionSpecs } from "../base/option-spec.js";
import type { CommandPage } from "./command-options.js";
import type { MergedMixin } from "./mixin.js";
import { cliOptions, runOptions, type ToolOption } from "./run-options.js";
import { shortOptions } from "./short-flags.js";
import { flagName, snakeName } from "./text/names.js";
import { isBranch, isNull, type Tree, toPlain } from "./tree.js";

interface HelpRequest {
  /** What this program is called. */
  readonly program?: string;
  /** Columns; default 100. */
  readonly width?: number;
}

interface BackboneHelp extends HelpRequest {
  readonly name: string;
  readonly help: string;
  readonly options: OptionSpecs;
}

interface ToolHelp extends HelpRequest {
  readonly commands: Readonly<Record<string, { readonly help: string }>>;
  /** Names of the ready-made tasks. */
  readonly tasks: readonly string[];
}

interface TaskHelp extends HelpRequest {
  readonly name: string;
  /** `static help`. */
  readonly help?: string | undefined;
  readonly options: OptionSpecs;
  readonly rawArgs?: boolean;
  /** `static defaults`, as written. */
  readonly defaults?: Readonly<Record<string, unknown>> | undefined;
  /** From `previewMixin`: keys of the template with the values they have now. */
  readonly mixin?: MergedMixin | undefined;
}

const shorts: Readonly<Record<string, string>> = { help: "-h", helpBackbone: "-hb", helpKagurazaka: "-hk" };

const examples = `
Examples:
  kagurazaka task.ts MyTask --backbone mp --num_process 16
  kagurazaka task.ts MyTask --cfg base.yaml --mixin-cfg site.yaml --mixin hard_shard_mode.input_path=in hard_shard_mode.output_path=out
  kagurazaka @word-count --in texts --out counts
  kagurazaka @exec --in photos --out small -- convert {} -resize 50% {output.path}
  kagurazaka task.ts MyTask --dry-run --sample 1%
  kagurazaka explain KEY task.ts MyTask

Flags may be spelled in kebab-case, snake_case or camelCase. Task and name stand first or last.`;

/** One of the three help pages, as a text. commander is loaded for this and nothing else. */
export function renderHelp(owner: "kagurazaka", request: ToolHelp): string;
export function renderHelp(owner: "backbone", request: BackboneHelp): string;
export function renderHelp(owner: "task", request: TaskHelp): string;
export function renderHelp(
  owner: "kagurazaka" | "backbone" | "task",
  request: ToolHelp | BackboneHelp | TaskHelp,
): string {
  const { program = "kagurazaka" } = request;
  if (owner === "kagurazaka") {
    const page = newPage(program, request, "<task_file> <task_name> [flags]");
    page.description(
      "Runs a task over its items on any backbone, skipping what is finished. The task may be a ready-made one: @name.",
    );
    addOptions(page, cliOptions);
    addOptions(page, shortOptions);
    addOptions(page, runOptions);
    const { commands, tasks } = request as ToolHelp;
    const rows = Object.entries(commands).map(([name, { help }]) => `  ${name.padEnd(16)}${help}`);
    const ready = tasks.map((name) => `@${name}`).join(", ");
    return [
      page.helpInformation(),
      `Commands, in place of the task file:\n${rows.join("\n")}\n`,
      `Ready-made tasks: ${ready} (kagurazaka ${tasks[0] === undefined ? "" : `@${tasks[0]}`} -h).`,
      `${examples}\n`,
    ].join("\n");
  }
  if (owner === "backbone") {
    const { name, help, options } = request as BackboneHelp;
    const page = newPage(program, request, `--backbone ${name} [flags] <task_file> <task_name>`);
    page.description(help);
    addOptions(page, options);
    return page.helpInformation() + (Object.keys(options).length === 0 ? "\nIt has no flags of its own.\n" : "");
  }
  const { name, help, options, mixin, rawArgs, defaults = {} } = request as TaskHelp;
  const page = newPage(program, request, "<task_file> <task_name> [flags]");
  page.description(help ?? `The task ${name}.`);
  addOptions(page, options);
  const notes = [
    ...(Object.keys(options).length === 0 ? ["It declares no options of its own."] : []),
    ...(rawArgs ? ["Flags and words that nobody declares are passed to it as they are."] : []),
    ...(Object.keys(defaults).length > 0 ? [`Unless you say otherwise: ${defaultsHelp(defaults)}.`] : []),
    ...(mixin ? [mixinHelp(mixin)] : []),
    "See also -hb (flags of the backbone) and -hk (flags of kagurazaka).",
  ];
  return `${page.helpInformation()}\n${notes.join("\n\n")}\n`;
}

/** The help page of a command that has options of its own. */
export function renderCommandHelp(
  { name, words, help, options, notes = [] }: CommandPage,
  request: HelpRequest = {},
): string {
  const page = newPage(`${request.program ?? "kagurazaka"} ${name}`, request, `${words.join(" ")} [flags]`);
  page.description(help);
  addOptions(page, { ...options, help: { type: "boolean", help: "This help." } });
  return [page.helpInformation(), ...notes.map((note) => `${note}\n`)].join("\n");
}

function newPage(program: string, { width = 100 }: HelpRequest, usage: string): commander.Command {
  const { Command } = createRequire(import.meta.url)("commander") as typeof commander;
  const page = new Command(program).usage(usage).helpOption(false);
  page.configureHelp({
    helpWidth: width,
    // commander allows one letter after a single dash; -hb and -hk are ours to show.
    optionTerm: (option) => {
      const short = shorts[option.attributeName()];
      return short ? `${short}, ${option.flags}` : option.flags;
    },
  });
  return page;
}

function addOptions(page: commander.Command, specs: Readonly<Record<string, OptionSpec | ToolOption>>): void {
  const { Option } = createRequire(import.meta.url)("commander") as typeof commander;
  for (const [name, spec] of Object.entries(specs)) {
    const option = new Option(flagName(name) + argumentOf(spec), descriptionOf(spec));
    page.addOption(option);
  }
}

function argumentOf(spec: OptionSpec | ToolOption): string {
  if (spec.type === "boolean") return "";
  const shown = spec.placeholder ?? spec.choices?.join("|") ?? spec.type.toUpperCase();
  if ("bare" in spec && spec.bare) return ` [${shown}]`;
  return spec.type === "strings" || spec.type === "integers" || spec.type === "map" ? ` <${shown}...>` : ` <${shown}>`;
}

function descriptionOf(spec: OptionSpec): string {
  const help = spec.help ?? "";
  const facts = [
    ...(spec.required ? ["required"] : []),
    ...(spec.choices && spec.placeholder === undefined ? [`one of ${spec.choices.join(", ")}`] : []),
    ...(spec.default !== undefined && !/default/i.test(help) && spec.default !== false
      ? [`default: ${written(spec)}`]
      : []),
  ];
  return facts.length === 0 ? help : `${help}${help === "" ? "" : " "}(${facts.join("; ")})`;
}

function written(spec: OptionSpec): string {
  if (typeof spec.default === "number" && spec.type === "duration") {
    return spec.default % 1000 === 0 ? `${spec.default / 1000}s` : `${spec.default}ms`;
  }
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
      const said = Object.hasOwn(tree, key) ? tree[key] : undefined;
      const value = said
        ? show(said)
        : spec.default === undefined
          ? spec.required
            ? "(required)"
            : "(not set)"
          : JSON.stringify(spec.default);
      return row(`${name}.${snakeName(key)}`, value, spec.help ?? "");
    });
    return [row(`${name}.use`, definition.name, definition.help), ...own];
  });
  return ["Mixin keys and their values now (--mixin key=value; ??? must be filled in):", ...lines].join("\n");
}

const show = (tree: Tree): string => JSON.stringify(toPlain(tree)) ?? "";
const row = (key: string, value: string, help: string): string =>
  `  ${key.padEnd(36)} ${value}${help === "" ? "" : `  — ${help.split("\n")[0]}`}`;
