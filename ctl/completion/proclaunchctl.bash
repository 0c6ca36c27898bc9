# bash completion for proclaunchctl(1). Names of profiles are those that the caller may see.

# Whoever owns the supervisor's monitor chooses them, and compgen -W would execute what stands in them.
_proclaunchctl_names()
{
	local directory=$1 name LC_ALL=C
	${directory:+env PROCLAUNCH_STATE_DIR="$directory"} \
	    proclaunchctl --no-header --timeout=1 -o name list 2>/dev/null |
	    while read -r name; do
		[[ $name == *[!A-Za-z0-9_.@:+/-]* ]] || printf '%s\n' "$name"
	    done
}

_proclaunchctl()
{
	local verbs='list status start stop restart reload signal wait enable disable reset log
	    reopen events explain check metrics ping version'
	local options='--state-dir= --json --quiet --color= --timeout= --help'
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local verb= directory= argument prefix i
	local whole=${COMP_LINE:0:COMP_POINT}

	# bash takes --for=running apart at the "=", and names at "@" and ":"
	if [[ $word == [=@:] ]]; then
		word=
	elif [[ $before == '=' ]]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		argument=${COMP_WORDS[i]}
		case $argument in
		-d | --state-dir)
			[[ ${COMP_WORDS[i+1]} == '=' ]] && ((i++))
			directory=${COMP_WORDS[++i]}
			;;
		-o | -n | --output | --lines | --color | --timeout | --for | --textfile)
			[[ ${COMP_WORDS[i+1]} == '=' ]] && ((i++))
			((i++))
			;;
		-*) ;;
		*)
			[[ -z $verb ]] && verb=$argument
			;;
		esac
	done

	COMPREPLY=()
	case $before in
	-d | --state-dir)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -d -- "$word"))
		return
		;;
	--textfile)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$word"))
		return
		;;
	--for)
		COMPREPLY=($(compgen -W 'stopped starting running stopping' -- "$word"))
		return
		;;
	--color)
		COMPREPLY=($(compgen -W 'auto always never' -- "$word"))
		return
		;;
	-o | --output)
		prefix=${word%"${word##*,}"}
		COMPREPLY=($(compgen -P "$prefix" -W 'name user state pid since restarts last_exit wanted uptime
		    failures uid reason' -- "${word##*,}"))
		return
		;;
	-n | --lines | --timeout)
		return
		;;
	signal)
		COMPREPLY=($(compgen -W 'HUP INT QUIT USR1 USR2 ALRM TERM CONT STOP KILL WINCH' -- "$word"))
		return
		;;
	esac

	if [[ $word == -* ]]; then
		case $verb in
		'') options+=' --version' ;;
		list | status) options+=' --no-header --output=' ;;
		start | stop | restart | enable | disable) options+=' --no-wait' ;;
		wait) options+=' --for=' ;;
		log) options+=' --follow --lines= --stderr' ;;
		events) options+=' --follow --lines=' ;;
		metrics) options+=' --textfile=' ;;
		esac
		COMPREPLY=($(compgen -W "$options" -- "$word"))
		[[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	elif [[ -z $verb ]]; then
		COMPREPLY=($(compgen -W "$verbs" -- "$word"))
	else
		case $verb in
		reopen | metrics | ping | version) ;;
		*)
			whole=${whole##*[[:space:]]}
			COMPREPLY=($(compgen -W "$(_proclaunchctl_names "$directory")" -- "$whole"))
			prefix=${whole%"$word"}
			COMPREPLY=("${COMPREPLY[@]#"${prefix%@}"}") # it keeps the "@"
			;;
		esac
	fi
}
complete -F _proclaunchctl proclaunchctl
