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
