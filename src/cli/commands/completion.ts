import { KagurazakaError } from "../../base/errors.js";
import { didYouMean } from "../../base/nearest.js";
import { defineCommand } from "../command.js";
import { scripts } from "../completion/scripts.js";

const shells = Object.keys(scripts);

export const completion = defineCommand({
  name: "completion",
  words: ["SHELL"],
  options: {},
  help: `Prints a script that completes commands, flags and their choices, and ready-made tasks, in ${shells.join(", ")}.`,
  notes: [
    'bash:  eval "$(kagurazaka completion bash)"                 in ~/.bashrc\nzsh:   eval "$(kagurazaka completion zsh)"                  in ~/.zshrc, after compinit\nfish:  kagurazaka completion fish | source                  in ~/.config/fish/config.fish',
  ],
  firstWords: () => shells,
  async run({ words }) {
    const [shell] = words as [string];
    if (!Object.hasOwn(scripts, shell))
      throw new KagurazakaError("usage", `there is no completion for "${shell}".${didYouMean(shell, shells)}`, {
        where: "command line",
        hint: `The shells are ${shells.join(", ")}.`,
      });
    process.stdout.write(scripts[shell as keyof typeof scripts]);
    return 0;
  },
});
