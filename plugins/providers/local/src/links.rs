//! What becomes of symbolic links in a copy of a directory.
//!
//! A relative link that leads out of the directory would lead somewhere else from the place of its copy: it is made to lead where the
//! original does. One that leads into the directory from outside, by its whole path or by way of a directory above, would have whoever
//! writes through it change the original: it is made to lead into the copy. All others are right as they are.

/// Defines `mend_links`, for the copy `$2` of the directory `$1`, both of them physical paths. Where `$3` is not empty, relative links
/// that lead somewhere from the copy stay: what they lead to was copied as well. It fails with a message that names the link.
///
/// A project may have thousands of links, in `node_modules` for example, and to start a program for each takes seconds. Where find can
/// print what links hold, none is started; elsewhere it is `readlink`.
pub const MEND: &str = r#"
mend_links() {
    if find "$1" -prune -printf '' 2>/dev/null; then
        find "$1" -type l \( -lname '/*' -o -lname '*..*' \) -printf '%P//%l\0' |
            xargs -0 sh -c "$mend_these" offload "$1" "$2" "$3" printed
    else
        find "$1" -type l -exec sh -c "$mend_these" offload "$1" "$2" "$3" "" {} +
    fi
}
# Each argument from the fifth on is a link: where `$4` is not empty, its path in the directory, two slashes and what it holds.
mend_these='
original=$1 copy=$2 kept=$3 printed=$4
shift 4

physical() { (CDPATH= cd -P -- "$1" && pwd -P) 2>/dev/null; }

# Whether the path $2 goes above the directory, seen from the place of the link $1.
climbs() {
    depth=0 rest=$1
    while :; do case $rest in */*) rest=${rest#*/} depth=$((depth + 1)) ;; *) break ;; esac; done
    rest=$2/
    while [ -n "$rest" ]; do
        step=${rest%%/*} rest=${rest#*/}
        case $step in
            ..) [ "$depth" -gt 0 ] || return 0; depth=$((depth - 1)) ;;
            ""|.) ;;
            *) depth=$((depth + 1)) ;;
        esac
    done
    return 1
}

above= found=
for link do
    if [ -n "$printed" ]; then
        path=${link%%//*} held=${link#*//}
    else
        path=${link#"$original"/}
        held=$(readlink "$link") || continue
    fi
    case $held in
        /*) from=$held ;;
        *)
            climbs "$path" "$held" || continue
            [ -z "$kept" ] || [ ! -e "$copy/$path" ] || continue
            case $path in */*) from=$original/${path%/*}/$held ;; *) from=$original/$held ;; esac
            ;;
    esac
    # A link may lead to another link, which is looked at by itself: the last step is not taken.
    while :; do case $from in ?*/) from=${from%/} ;; *) break ;; esac; done
    case $from in
        /) place=/ ;;
        */..|*/.) place=$(physical "$from") || continue ;;
        *)
            if [ "${from%/*}/" != "$above" ]; then
                above=${from%/*}/
                found=$(physical "$above") || found=
            fi
            # It leads nowhere, and may go on doing so.
            [ -n "$found" ] || continue
            place=${found%/}/${from##*/}
            ;;
    esac
    case $place/ in
        "$original"/*) to=$copy${place#"$original"} ;;
        *) to=$place ;;
    esac
    if [ "$to" = "$held" ] || [ ! -L "$copy/$path" ]; then continue; fi
    case $held in /*) [ "$to" != "$place" ] || continue ;; esac
    said=$(ln -sfn "$to" "$copy/$path" 2>&1) || {
        printf "%s\n" "the link $path leads to $held, and could not be made to lead to $to: $said" >&2
        exit 1
    }
done'
"#;
