/** The first word of a command, before the task and its flags. */
export function takeWord(words: readonly string[]): { word: string | undefined; rest: readonly string[] } {
  const [word, ...rest] = words;
  return word === undefined || word.startsWith("-") ? { word: undefined, rest: words } : { word, rest };
}
