#!/bin/sh
# nginx-weight.sh PERCENT gives the canary so much of the traffic. nginx.conf includes what it
# writes, in the http block, and sends requests where the variable says:
#
#   include /etc/nginx/canary-weight.conf;
#   upstream stable { server 10.0.0.1:8080; }
#   upstream canary { server 10.0.0.2:8080; }
#   server { location / { proxy_pass http://$arm; } }
#
# NGINX_WEIGHT is that file, and NGINX_COMMAND the command for nginx where it needs options.
set -eu
percent=${1-}
file=${NGINX_WEIGHT:-/etc/nginx/canary-weight.conf}
case $percent in
'' | *[!0-9]*) echo "usage: $0 PERCENT, a whole number from 0 to 100" >&2; exit 2 ;;
0) split='* stable;' ;;
100) split='* canary;' ;;
*) split="$percent% canary; * stable;" ;;
esac
# A request's id is random, so that each request is split by itself; take $remote_addr or a
# cookie where a user is to stay in one arm.
printf 'split_clients $request_id $arm { %s }\n' "$split" >"$file.new"
if test -e "$file"; then cp "$file" "$file.old"; else cp "$file.new" "$file.old"; fi
mv "$file.new" "$file"
if ! ${NGINX_COMMAND:-nginx} -t; then
	mv "$file.old" "$file"
	exit 1
fi
rm "$file.old"
${NGINX_COMMAND:-nginx} -s reload
