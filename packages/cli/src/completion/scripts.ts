/**
 * What each shell is told: a function that asks `backroom __complete` for what may stand at the cursor. It prints a line for each word, with a tab
 * and a description behind, then one with what the shell can offer itself: `:files`, `:folders` or `:none`. Words are taken as they are, and nothing of
 * the output is ever evaluated.
 */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
export type Shell = (typeof SHELLS)[number];

export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# bash completion for backroom. For every shell to come:
#   backroom completion bash > ~/.local/share/bash-completion/completions/backroom
_backroom() {
  local current=\${COMP_WORDS[COMP_CWORD]} line files=
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :*) files=$line ;;
      *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
    esac
  done < <("\${COMP_WORDS[0]}" __complete "--current=$current" -- "\${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
  case $files in
    :files | :folders)
      compopt -o filenames 2>/dev/null
      local action=file
      if [[ $files == :folders ]]; then action=directory; fi
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -A "$action" -- "$current")
      ;;
  esac
}
complete -F _backroom backroom
`,
  zsh: `#compdef backroom
# zsh completion for backroom. For every shell to come, in a folder of $fpath:
#   backroom completion zsh > ~/.zfunc/_backroom
_backroom() {
  local line files
  local -a found
  while IFS= read -r line; do
    case $line in
      :*) files=$line ;;
      *) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done < <("\${words[1]}" __complete "--current=\${(Q)words[CURRENT]}" -- "\${(@Q)words[2,CURRENT-1]}" 2>/dev/null)
  if (( \${#found} )); then _describe 'backroom' found; fi
  case $files in
    :files) _files ;;
    :folders) _files -/ ;;
  esac
}
if [[ \${funcstack[1]} == _backroom ]]; then _backroom "$@"; else compdef _backroom backroom; fi
`,
  fish: `# fish completion for backroom. For every shell to come:
#   backroom completion fish > ~/.config/fish/completions/backroom.fish
function __backroom_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (command $words[1] __complete "--current=$current" -- $words[2..-1] 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':folders'
                __fish_complete_directories "$current"
            case ':*'
            case '*'
                printf '%s\\n' $line
        end
    end
end
complete -c backroom -f -a '(__backroom_complete)'
`,
  powershell: `# PowerShell completion for backroom. For every shell to come, add to the file that $PROFILE names:
#   backroom completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName backroom -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.ToString() } })
    $program, $before = $words
    & $program __complete "--current=$wordToComplete" -- @before 2>$null | ForEach-Object {
        $value, $description = $_ -split "\`t", 2
        if ($_ -eq ':files') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } elseif ($_ -eq ':folders') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete) |
                Where-Object { $_.ResultType -eq 'ProviderContainer' }
        } elseif (-not $_.StartsWith(':')) {
            if (-not $description) { $description = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $description)
        }
    }
}
`,
};
