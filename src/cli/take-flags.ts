import { KagurazakaError } from "../base/errors.js";
import { nearestName } from "../base/nearest.js";

/** Flags of a command itself, that neither a run nor a task knows. */
export type OwnFlags = Readonly<Record<string, "bare" | "value">>;

export interface TakenFlags<F extends OwnFlags> {
  readonly flags: { readonly [K in keyof F]?: F[K] extends "value" ? string : true };
  /** The words without them. */
  readonly rest: readonly string[];
}

/** Takes a command's own flags out of its words; what stands behind `--` is the task's. */
export function takeFlags<const F extends OwnFlags>(words: readonly string[], own: F): TakenFlags<F> {
  const flags: Record<string, string | true> = {};
  const rest: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === "--") {
      rest.push(...words.slice(i));
      break;
    }
    const [said, ...inline] = word.split("=");
    const name = said!.startsWith("--") ? said!.slice(2) : "";
    if (!Object.hasOwn(own, name)) rest.push(word);
    else if (own[name] === "bare") {
      if (inline.length > 0) throw mistake(said!, "takes no value");
      flags[name] = true;
    } else {
      const value = inline.length > 0 ? inline.join("=") : words[++i];
      if (value === undefined || value === "" || (inline.length === 0 && value.startsWith("--")))
        throw mistake(said!, "needs a value");
      flags[name] = value;
    }
  }
  return { flags: flags as TakenFlags<F>["flags"], rest };
}

/** For a command that knows all its words by now: whatever is left over is a mistake. */
export function refuseLeftOver(words: readonly string[], own: OwnFlags): void {
  const [word] = words;
  if (word === undefined) return;
  const near = word.startsWith("--") ? nearestName(word.slice(2), Object.keys(own)) : undefined;
  throw new KagurazakaError(
    word.startsWith("-") ? "unknown-flag" : "usage",
    `"${word}" belongs to nothing.${near === undefined ? "" : ` Did you mean --${near}?`}`,
    { where: "command line", hint: "After a state directory there are no flags of a task or a run." },
  );
}

function mistake(said: string, what: string): KagurazakaError {
  return new KagurazakaError("usage", `${said} ${what}`, { where: said });
}
