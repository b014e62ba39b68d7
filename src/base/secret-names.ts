/** Parts of words that only secrets have in their names. */
const strong =
  /secret(?!ar)|passw|passphrase|passcode|credential|bearer|authorization|oauth|cookie|jwt|apikey|accesskey|privatekey|connectionstring|connstr/;
const strongWords: ReadonlySet<string> = new Set("auth authentication dsn sig signature cred creds pwd sas".split(" "));

/** Words with `key`, `token` or `pass` in them that mean something else. */
const other =
  /tokeni[sz]|^key(?:ed|ing|(?:board|word|point|frame|note|stone|stroke|space|map|pad|hole)s?)$|^(?:mon|don|tur|hoc|joc|whis|hot)keys?$|^pass(?:es|ed|ing|age|ages|ive|enger|engers|through)$|(?:by|com|encom|over|under|tres|low|high|band|single|multi)pass(?:es)?$/;
/** With one of these words a name is about tokens, keys or sessions, and is none. */
const about: ReadonlySet<string> = new Set(
  "max min num n count counts limit budget per length len size total number ratio field fields column columns sort group order partition timeout ttl pad eos bos unk mask sep cls special stop start end type types format vocab window".split(
    " ",
  ),
);
const aboutAuth: ReadonlySet<string> = new Set(
  "type types method mode scheme kind enabled required provider".split(" "),
);

const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");

/** `likely`: a bare word like `key`, which may mean something else in running text. */
type Secrecy = "no" | "likely" | "certain";

/** Whether a value of this name proves who somebody is: one name, without dots, in any spelling. */
export function secrecyOf(name: string): Secrecy {
  const words = wordsOf(name);
  const isAbout = words.some((word) => aboutAuth.has(word));
  const isStrong = (word: string): boolean => strong.test(word) || strongWords.has(word);
  if (!(isAbout && words.some((word) => /^o?auth\d*$/.test(word))))
    if (words.some(isStrong) || strong.test(words.join(""))) return "certain";
  const weak = words.some((word) => /key|token|pass|^session$/.test(word) && !other.test(word));
  const isShort = /^(?:otp|pat|pin)$/.test(words.at(-1) ?? "");
  if (!(weak || isShort) || words.some((word) => about.has(word))) return "no";
  return words.length > 1 || !/^(?:keys?|tokens?|pass|session|otp|pat|pin)$/.test(words[0]!) ? "certain" : "likely";
}
