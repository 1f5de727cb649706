# What zsh would offer: zsh -f zsh-capture.zsh FOLDER LINE. In FOLDER is the function _wayward. A terminal is played.
zmodload zsh/zpty
zpty inner zsh -f -i
expect() { local heard; while zpty -r inner heard; do [[ $heard == *$1* ]] && return; done }
zpty -w inner "PROMPT= fpath=($1 \$fpath)"
zpty -w inner 'autoload compinit; compinit -D -u'
# Whatever is added as a match is printed instead.
zpty -w inner 'compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a found; builtin compadd -A found "$@"; (( $#found )) && print -rl -- OFFER:$^found
}'
zpty -w inner "done-now() { print END-OF-OFFERS; exit }; zle -N done-now"
zpty -w inner "bindkey '^I' complete-word; bindkey '^X' done-now; zstyle ':completion:*' list-grouped false; setopt nolistbeep; print READY-\$((1+1))"
expect READY-2
zpty -n -w inner "$2"$'\t\C-x'
local line
while zpty -r inner line; do
  line=${line//$'\r'/}
  [[ $line == *END-OF-OFFERS* ]] && break
  [[ $line == *OFFER:* ]] && print -r -- ${${line##*OFFER:}%$'\n'}
done
zpty -d inner
