/** Makes stacks show the original lines of task files. Per thread; free until a stack is read. */
export function enableSourceMaps(): void {
  process.setSourceMapsEnabled(true);
}
