#!/usr/bin/env bash
# Runs the build steps of the Dockerfile where no container engine is at hand:
# the same instructions, in order, in a temporary folder that holds what the
# build context would (the tree without what .dockerignore leaves out).
#
# It then checks what the final image would hold: a static binary that runs with
# nothing beside it, as the image's user; and that the init stage's script makes
# every secret once. It says nothing about base images, layers or the engine.
#
# An instruction that it does not know is a failure, never skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'chmod -R u+w "$work" && rm -rf "$work"' EXIT
context=$work/context build=$work/build image=$work/image
mkdir -p "$context" "$build" "$image"

say() { printf 'check-dockerfile: %s\n' "$*"; }
die() { say "$*" >&2; exit 1; }

# The context. .dockerignore is written so that git reads it the same way.
while IFS= read -r pattern; do
	case $pattern in
	'' | '#'* | /* | '**/'*) ;;
	*) die ".dockerignore: \"$pattern\" must start with / or **/" ;;
	esac
done <.dockerignore
comm -z -23 \
	<(git ls-files -z --cached --others --exclude-standard | sort -z) \
	<({ git ls-files -z --cached --ignored --exclude-from=.dockerignore
	    git ls-files -z --others --ignored --exclude-from=.dockerignore; } | sort -z) |
	while IFS= read -r -d '' file; do
		[ -e "$file" ] || continue # deleted and not yet committed
		printf '%s\0' "$file"
	done | tar -c --null -T - | tar -x -C "$context"

# One instruction a line: comments out, continued lines joined.
instructions() {
	sed -e '/^[[:space:]]*#/d' Dockerfile | sed -e ':a' -e '/\\$/{N;s/\\\n[[:space:]]*/ /;ba}' | sed -e '/^[[:space:]]*$/d'
}

# in_build PATH: where a path of the build stage lies here. What is not below
# its working folder is looked up on this machine.
workdir=/
in_build() {
	case $1 in
	"$workdir"/*) printf '%s' "$build/${1#"$workdir"/}" ;;
	/*) printf '%s' "$1" ;;
	*) printf '%s' "$build/$1" ;;
	esac
}

stage='' entrypoint='' user='' missing=0
declare -a vars=()
while IFS= read -r line; do
	word=${line%% *} rest=${line#* }
	case $word in
	FROM)
		case $rest in
		*' AS '*) stage=${rest##* AS } ;;
		*) stage=final ;;
		esac
		case $stage in
		build | init) ;;
		final) [ "$rest" = scratch ] || die "the final stage is $rest, not scratch" ;;
		*) die "unknown stage $stage" ;;
		esac
		;;
	ARG)
		name=${rest%%=*}
		vars+=("$name=${!name:-${rest#*=}}")
		;;
	WORKDIR) [ "$stage" != build ] || workdir=$rest ;;
	RUN)
		[ "$stage" = build ] || die "RUN outside the build stage: $rest"
		say "RUN $rest"
		(cd "$build" && env "${vars[@]}" sh -c "$rest")
		;;
	COPY)
		from='' args=()
		for arg in $rest; do
			case $arg in
			--from=build) from=build ;;
			--chown=*) ;;
			--*) die "unknown option $arg" ;;
			*) args+=("$arg") ;;
			esac
		done
		to=${args[-1]}
		unset 'args[-1]'
		for source in "${args[@]}"; do
			if [ "$from" = build ]; then
				path=$(in_build "$source")
				if [ ! -e "$path" ] && [ "${source#"$workdir"/}" = "$source" ]; then
					say "not on this machine, so not looked at: $source"
					missing=1
					continue
				fi
			else
				path=$context/$source
			fi
			[ -e "$path" ] || die "COPY $source: there is no such file"
			case $stage in
			build) cp -R "$path" "$build/$to" ;;
			final)
				mkdir -p "$image$(dirname "$to")"
				cp -R "$path" "$image$to"
				;;
			esac
		done
		;;
	USER) user=$rest ;;
	ENTRYPOINT)
		entrypoint=${rest#*\"}
		entrypoint=${entrypoint%%\"*}
		;;
	CMD | EXPOSE) ;;
	*) die "unknown instruction: $line" ;;
	esac
done < <(instructions)

[ "$stage" = final ] || die "there is no final stage"
binary=$image$entrypoint
[ -x "$binary" ] || die "the image holds no $entrypoint to start"
case $user in
'' | root | root:* | 0 | 0:*) die "the image would run as root" ;;
*[!0-9:]*) die "USER $user: an empty image knows no names, give numbers" ;;
esac

if readelf -lW "$binary" | grep -q INTERP; then
	die "$entrypoint is not static: it asks for a loader"
fi
go version -m "$binary" | grep -q 'CGO_ENABLED=0' || die "$entrypoint was built with cgo"
go version -m "$binary" | grep -q -- '-tags=.*timetzdata' || die "$entrypoint has no time zones in it"

version=$(cd "$image" && env -i "$binary" version) || die "$entrypoint version failed"
[ -n "$version" ] || die "$entrypoint version printed nothing"
if [ "$(id -u)" = 0 ] && alone=$(env -i "$(command -v chroot)" --userspec="$user" "$image" "$entrypoint" version 2>&1); then
	[ "$alone" = "$version" ] || die "alone in the image's files it printed: $alone"
	say "ran alone in the image's files as $user"
elif [ "$(id -u)" = 0 ]; then
	die "alone in the image's files $entrypoint version failed: $alone"
else
	say "not root here, so it was not run alone in the image's files"
fi

# The init stage's script, with the binary it would have: the second run must
# change nothing, and no secret may be open to another user.
secrets=$work/secrets
init() {
	MONGO_DIR=$secrets/mongo APP_DIR=$secrets/app VICTIMVOICE=$binary \
		MONGO_OWNER=$(id -u):$(id -g) APP_OWNER=$(id -u):$(id -g) sh "$context/deploy/init.sh" >/dev/null
}
init || die "deploy/init.sh failed"
first=$(cd "$secrets" && find . -type f -exec sha256sum {} + | sort)
init || die "deploy/init.sh failed the second time"
[ "$first" = "$(cd "$secrets" && find . -type f -exec sha256sum {} + | sort)" ] || die "deploy/init.sh changed a secret that was there"
for file in mongo/keyfile mongo/root-password mongo/app-password app/store app/keys; do
	[ -s "$secrets/$file" ] || die "deploy/init.sh made no $file"
done
[ -z "$(find "$secrets" -type f ! -perm 0400)" ] || die "deploy/init.sh left a secret open"
say "deploy/init.sh makes each secret once"

[ "$missing" = 0 ] || say "some files come from the base image, see above"
say "static, $(du -h "$binary" | cut -f1), version: $version"
say "no container engine ran the Dockerfile: its steps were run one by one on this machine"
