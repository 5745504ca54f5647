# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of harkctl for bash: harkctl itself knows its commands, and asks the hub for the names of what there is.
_harkctl()
{
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(harkctl --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _harkctl harkctl
