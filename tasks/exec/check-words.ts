import { basename } from "node:path";
import { didYouMean, type RunPlan } from "kagurazaka";
import { Mistake } from "./mistake.js";
import { fileOnlyNames, filePlaces, isSign, outputPlaces, ownNames } from "./values.js";
import { hasUnsure, namesIn, type Word } from "./words.js";

/** Refuses placeholders that no item can have, as far as the modes show. Records may have any field: each item is checked later. */
export function checkWords(words: readonly Word[], plan: RunPlan): void {
  for (const word of words) for (const name of namesIn(word)) checkName(name, plan);
  checkScripts(words);
}

function checkName(name: string, plan: RunPlan): void {
  const { inputMode, outputs } = plan;
  if (name === "#") throw new Mistake("{#}: items are named, not numbered", "Use {key}: it is the same in every run.");
  if (name === "%")
    throw new Mistake("{%}: slots have no numbers here", "For a directory of its own, each try has {tmp}.");
  if (isOutputName(name) && outputs.length === 0)
    throw new Mistake(`{${name}} needs an output directory`, "Say --out DIR.");
  if (name === "line" && inputMode?.name === LINES && inputMode.yields === "file")
    throw new Mistake("{line}: these lines are paths of files", "Say --mixin input_mode.as=text, or use {}.");
  const known = knownNames(plan);
  if (known.names.includes(name)) return;
  const [field] = name.split(".");
  const settled = known.closed || outputs.some((output) => output.field === field);
  if (settled && !isSign(name)) {
    throw new Mistake(
      `there is no placeholder {${name}}.${didYouMean(name, known.names)}`,
      `There are ${known.names
        .filter((one) => !isSign(one))
        .map((one) => `{${one}}`)
        .join(", ")}. The text itself is {{${name}}}.`,
    );
  }
  if (isSign(name) && inputMode?.yields !== "file" && inputMode?.name !== LINES) {
    const whose = inputMode ? `the items of ${inputMode.name}` : "these items";
    throw new Mistake(`{${name}} is about a file or a line of text, and ${whose} are records`, "Name a field: {url}.");
  }
}

const LINES = "InputByLines";
/** A column may be called `output_size`; with a dot behind it, it is an output file. */
export const isOutputName = (name: string): boolean => /^output(?:_[^.]*)?\./.test(name);

/** Which placeholders there are, and whether an item may have more. */
function knownNames({ inputMode, outputs }: RunPlan): { names: string[]; closed: boolean } {
  const ofOutputs = outputs.flatMap(({ field }) => outputPlaces.map((place) => `${field}.${place}`));
  const signs = ["", ".", "/", "//", "/."];
  if (inputMode?.yields === "file") {
    const names = [...filePlaces.map((place) => `input.${place}`), ...ofOutputs, ...ownNames, ...signs];
    // Lines of that mode may have other fields besides the file.
    return { names, closed: inputMode.name !== "InputFromFileTripletJsonl" };
  }
  const ofRecords = [...ofOutputs, ...ownNames.filter((name) => !fileOnlyNames.includes(name))];
  if (inputMode?.name === LINES) return { names: ["line", ...ofRecords, ...signs], closed: true };
  return { names: ofRecords, closed: false };
}

/** How a program takes a script as an argument. */
interface Scripting {
  readonly program: RegExp;
  /** Its script is the next word, or stands right behind the flag: `-e'…'`. Absent: the first word that is no flag. */
  readonly flag?: RegExp;
  /** A flag with which the script is in a file. */
  readonly inFile?: RegExp;
  /** Flags of the program that take the next word. */
  readonly takes: readonly string[];
  /** Further flags may stand between the flag and the script. */
  readonly later?: true;
  /** All words behind the script are arguments of the script. */
  readonly once?: true;
  /** How a script reads a word behind it. */
  readonly word: string;
}

const shell = { flag: /^[-+][A-Za-z]*c[A-Za-z]*$/, later: true, once: true, word: "$1" } as const;
const scriptings: readonly Scripting[] = [
  {
    ...shell,
    program: /^(?:sh|bash|dash|zsh|ksh|ash|fish)$/,
    takes: ["-o", "+o", "-O", "+O", "--rcfile", "--init-file"],
  },
  { program: /^(?:python|pypy)[\d.]*$/, flag: /^-[A-Za-z]*c/, takes: ["-W", "-X"], once: true, word: "sys.argv[1]" },
  { program: /^perl[\d.]*$/, flag: /^-(?:[lnpawst0]*)[eE]/, takes: ["-I"], word: "$ARGV[0]" },
  { program: /^ruby[\d.]*$/, flag: /^-[lnpaws]*e/, takes: ["-I", "-r", "-C", "-E"], word: "ARGV[0]" },
  {
    program: /^(?:node|nodejs|bun)$/,
    flag: /^(?:-p?e|-p|--eval|--print)(?:=|$)/,
    takes: ["-r", "--require", "--import", "--loader", "-C", "--conditions"],
    word: "process.argv[1]",
  },
  {
    program: /^[gmn]?awk$/,
    inFile: /^(?:-f|--file)/,
    takes: ["-F", "-v", "-i", "-l", "--field-separator", "--assign"],
    once: true,
    word: "ARGV[1]",
  },
];

/** Words that are scripts: braces in them that may be text are text. */
export function scriptsIn(words: readonly Word[]): Set<Word> {
  const scripts = new Set<Word>();
  for (const [index, { text }] of words.entries()) {
    const how = scriptings.find(({ program }) => program.test(basename(text)));
    if (how) findScript(words.slice(index + 1), how, (word) => void (hasUnsure(word) && scripts.add(word)));
  }
  return scripts;
}

/** Refuses placeholders inside a script, where their values would be run as code: a file called `$(reboot)`. */
function checkScripts(words: readonly Word[]): void {
  for (const [index, { text }] of words.entries()) {
    const how = scriptings.find(({ program }) => program.test(basename(text)));
    const found = how && findScript(words.slice(index + 1), how);
    if (!found) continue;
    const names = [...new Set(namesIn(found.script))];
    const command = `${basename(text)} ${found.flag}`.trim();
    const program = how.later ? ` ${basename(text)}` : "";
    throw new Mistake(
      `{${names[0]}} stands inside the script of ${command}, where a file's name would be run as code`,
      `Hand it over as a word and quote it there: ${command} '… ${how.later ? `"${how.word}"` : how.word} …'${program} ${names.map((name) => `{${name}}`).join(" ")}`,
    );
  }
}

/** The first script with a placeholder in it. Words behind the program's own file are not flags of the program. */
function findScript(
  words: readonly Word[],
  how: Scripting,
  onScript: (word: Word) => void = () => {},
): { flag: string; script: Word } | undefined {
  for (let at = 0; at < words.length; at++) {
    const { text } = words[at]!;
    if (how.inFile?.test(text)) return undefined;
    if (text === "--" || !/^[-+]./.test(text)) {
      const script = how.flag === undefined ? words[text === "--" ? at + 1 : at] : undefined;
      if (script) onScript(script);
      return script && namesIn(script).length > 0 ? { flag: "", script } : undefined;
    }
    if (how.takes.includes(text)) at++;
    const [flag] = how.flag?.exec(text) ?? [];
    if (flag === undefined) continue;
    const isInside = flag.length < text.length || flag.endsWith("=");
    if (!isInside && how.later) at = endOfFlags(words, at + 1, how);
    else if (!isInside) at++;
    const script = words[at];
    if (script) onScript(script);
    if (script && namesIn(script).length > 0) return { flag: flag.replace("=", ""), script };
    if (how.once) return undefined;
  }
  return undefined;
}

function endOfFlags(words: readonly Word[], from: number, { takes }: Scripting): number {
  let at = from;
  for (; at < words.length && /^[-+]/.test(words[at]!.text); at++) {
    const { text } = words[at]!;
    if (text === "--" || text === "-") return at + 1;
    if (takes.includes(text)) at++;
  }
  return at;
}
