import { didYouMean } from "../../base/nearest.js";
import { usageError } from "../../config/flags.js";
import { defineCommand } from "../command.js";
import { dataOut } from "../stdout.js";

/**
 * One script for each shell. Each asks `kagurazaka __complete SHELL WORDS…` what may stand in place of the last word, so that a
 * script never grows old. Where nothing may, the shell completes files.
 */
export const scripts = {
  bash: `_kagurazaka() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete bash "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
# A word like @exec is one word, for all commands.
COMP_WORDBREAKS=\${COMP_WORDBREAKS//@/}
complete -o default -F _kagurazaka kagurazaka
`,
  zsh: `#compdef kagurazaka
_kagurazaka() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete zsh "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then
    _describe kagurazaka found
  else
    _files
  fi
}
compdef _kagurazaka kagurazaka
`,
  fish: `function __kagurazaka_complete
    set -l words (commandline -opc)
    set -l found ($words[1] __complete fish $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -eq 0
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end
complete -c kagurazaka -f -a '(__kagurazaka_complete)'
`,
};

const shells = Object.keys(scripts);

export const command = defineCommand({
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
      throw usageError(
        `there is no completion for "${shell}".${didYouMean(shell, shells)}`,
        `The shells are ${shells.join(", ")}.`,
      );
    dataOut().write(scripts[shell as keyof typeof scripts]);
    return 0;
  },
});
