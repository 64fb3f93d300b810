#!/bin/sh
# Makes docker/secrets/ with a random secret in each file that is not there yet.
# The folder is closed to others; the files in it are readable, since the users inside the
# containers, who are not this one, must read them.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
chmod 700 secrets
cd secrets

random() {
    od -An -N 24 -t x1 /dev/urandom | tr -d ' \n'
}

# make NAME TEXT: writes the file unless it is there.
make() {
    if [ ! -e "$1" ]; then
        printf '%s\n' "$2" >"$1.new"
        chmod 444 "$1.new"
        mv "$1.new" "$1"
        echo "made secrets/$1"
    fi
}

make ami_secret "$(random)"
make token "$(random)"
make secret_key "$(random)"
make smtp_password ""
make cdr_url ""
make database_password "$(random)"
make database_url "postgresql+psycopg://dutyline:$(cat database_password)@database/dutyline"
if [ ! -e redis_url ] || [ ! -e redis_config ]; then
    password=$(random)
    rm -f redis_url redis_config
    make redis_url "redis://:$password@redis:6379/0"
    make redis_config "requirepass $password"
fi
