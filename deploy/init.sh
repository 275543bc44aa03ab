#!/bin/sh
# Makes the secrets of docker-compose.yml, each once: what is there is never
# touched, so that a restart keeps the database and the sealed data readable.
#
# MONGO_DIR gets what the database server reads: its key file, the password of
# its administrator and that of our user. APP_DIR gets what the service reads:
# the store's address with that password in it, and the keyset that seals
# personal data. Whoever loses the keyset loses the data: back up APP_DIR.
set -eu
umask 077

MONGO_DIR=${MONGO_DIR:-/secrets/mongo}
APP_DIR=${APP_DIR:-/secrets/app}
MONGO_HOST=${MONGO_HOST:-mongo:27017}
MONGO_OWNER=${MONGO_OWNER:-999:999}   # the mongodb user of the official image
APP_OWNER=${APP_OWNER:-65532:65532}   # the USER of our Dockerfile
VICTIMVOICE=${VICTIMVOICE:-victimvoice}

# once FILE OWNER COMMAND...: keeps COMMAND's output as FILE unless FILE exists.
# The rename comes last, so that a half-written secret is never taken for one.
once() {
	file=$1 owner=$2
	shift 2
	if [ -e "$file" ]; then
		echo "init: $file is there"
		return
	fi
	rm -f "$file.new"
	"$@" >"$file.new"
	[ -s "$file.new" ]
	chmod 0400 "$file.new"
	chown "$owner" "$file.new"
	mv "$file.new" "$file"
	echo "init: made $file"
}

# random N: N random bytes as hexadecimal digits, safe inside an address.
random() {
	head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# The service's copy is made from the database's, so the two cannot differ.
store_address() {
	password=$(cat "$MONGO_DIR/app-password")
	printf 'mongodb://victimvoice:%s@%s/victimvoice?replicaSet=rs0&authSource=victimvoice' "$password" "$MONGO_HOST"
}

if [ -e "$APP_DIR/store" ] && [ ! -e "$MONGO_DIR/app-password" ]; then
	echo "init: $APP_DIR/store names a password that $MONGO_DIR no longer has: restore the lost volume, or remove both and start empty" >&2
	exit 1
fi
mkdir -p "$MONGO_DIR" "$APP_DIR"
chmod 0755 "$MONGO_DIR" "$APP_DIR"
once "$MONGO_DIR/keyfile" "$MONGO_OWNER" random 256
once "$MONGO_DIR/root-password" "$MONGO_OWNER" random 32
once "$MONGO_DIR/app-password" "$MONGO_OWNER" random 32
once "$APP_DIR/store" "$APP_OWNER" store_address
once "$APP_DIR/keys" "$APP_OWNER" "$VICTIMVOICE" keys new
