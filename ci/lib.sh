# What the scripts of CI share. Sourced, never run.

# Starts a server and waits until it is ready: `start_server LOG COMMAND ...`, a command that serves on
# 127.0.0.1:0. Sets SERVER_PID and SERVER_ADDRESS. The caller ends it: `trap stop_server EXIT`.
start_server() {
  local log=$1 line
  shift
  "$@" >"$log" 2>&1 &
  SERVER_PID=$!
  for _ in $(seq 300); do
    line=$(grep -o 'answers at http://[^/]*' "$log" || true)
    if [ -n "$line" ]; then
      SERVER_ADDRESS=${line#answers at http://}
      curl --silent --fail --max-time 5 "http://$SERVER_ADDRESS/readyz" >/dev/null && return 0
    fi
    kill -0 "$SERVER_PID" 2>/dev/null || break
    sleep 0.1
  done
  echo "the server did not become ready:" >&2
  cat "$log" >&2
  return 1
}

# Ends the server that was started, if there is one, by its own number; answers with the code it ended with.
stop_server() {
  [ -n "${SERVER_PID:-}" ] || return 0
  local pid=$SERVER_PID
  SERVER_PID=
  kill -TERM "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null
}

# `expect GOT WANTED WHAT`
expect() {
  if [ "$1" != "$2" ]; then
    echo "$3 is \`$1\`, not \`$2\`" >&2
    return 1
  fi
  echo "ok: $3 is $2"
}
