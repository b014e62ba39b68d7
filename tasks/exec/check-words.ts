import { basename } from "node:path";
import { didYouMean, type RunPlan } from "kagurazaka";
import { Mistake } from "./mistake.js";
import { fileOnlyNames, filePlaces, isSign, outputPlaces, ownNames } from "./values.js";
import { namesIn, type Word } from "./words.js";

/** Refuses what no item could fill in, as far as the modes tell. Records may have any field: those are seen item by item. */
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
/** A column may be called `output_size`; what has a dot behind it is a file of ours. */
export const isOutputName = (name: string): boolean => /^output(?:_[^.]*)?\./.test(name);

/** Which placeholders there are, and whether an item may bring more. */
function knownNames({ inputMode, outputs }: RunPlan): { names: string[]; closed: boolean } {
  const ofOutputs = outputs.flatMap(({ field }) => outputPlaces.map((place) => `${field}.${place}`));
  const signs = ["", ".", "/", "//", "/."];
  if (inputMode?.yields === "file") {
    const names = [...filePlaces.map((place) => `input.${place}`), ...ofOutputs, ...ownNames, ...signs];
    // Its lines may have other fields besides the file.
    return { names, closed: inputMode.name !== "InputFromFileTripletJsonl" };
  }
  const ofRecords = [...ofOutputs, ...ownNames.filter((name) => !fileOnlyNames.includes(name))];
  if (inputMode?.name === LINES) return { names: ["line", ...ofRecords, ...signs], closed: true };
  return { names: ofRecords, closed: false };
}

const shells = ["sh", "bash", "dash", "zsh", "ksh", "ash", "fish"];

/** What is put into a script becomes part of the program: a file called `$(reboot)` would be run. */
function checkScripts(words: readonly Word[]): void {
  for (const [index, { text }] of words.entries()) {
    if (!shells.includes(basename(text))) continue;
    const flag = words.findIndex((word, at) => at > index && /^-[a-z]*c$/.test(word.text));
    const script = flag < 0 ? undefined : words[flag + 1];
    if (script === undefined || namesIn(script).length === 0) continue;
    const names = [...new Set(namesIn(script))];
    throw new Mistake(
      `{${names[0]}} stands inside the script of ${basename(text)} -c, where a file's name would be run as code`,
      `Hand it over as a word and quote it there: ${text} -c '… "$1" …' ${basename(text)} ${names.map((name) => `{${name}}`).join(" ")}`,
    );
  }
}
