#!/usr/bin/env bash
# Prints the indices of <amount> GPUs that nvidia-smi shows, in one line, joined by commas: the discovery script of Flink's GPU driver
# (nvidia-gpu-discovery.sh and gpu-discovery-common.sh of flink-external-resource-gpu), for the driver discovery-script and for any other caller.
#
#   nvidia-gpu-discovery.sh <amount> [--enable-coordination-mode] [--coordination-file FILE] [--release INDICES]
#
# Exit code 75 (EX_TEMPFAIL) says that there are enough GPUs, but others hold them in the coordination file; every other failure is 1.
#
# With TREADLE_DISCOVERY_HEALTH=1 in the environment it prints all GPUs instead, whoever has them, and takes none.
# With TREADLE_DISCOVERY_PROPERTIES=1 in the environment one line per GPU follows: <index>: uuid=…;name=…;memory=<MiB>;pci_bus_id=…
#
# Coordination mode keeps several TaskManagers on one machine without GPU isolation apart, Flink's among them: it uses Flink's file, with
# Flink's lock (flock on the file itself) and Flink's rows (<index> <pid of the owner>). The owner is the process that called this script. With
# --release 0,2 nothing is taken, and the owner's rows of these indices are removed, which Flink's script leaves to be found dead. Nothing in
# such a row survives pid namespaces: TaskManagers in different containers (Docker's, not YARN's) must not share a file. A pid that another process
# got since blocks its index until that one ends, which errs on the safe side.
export LC_ALL=C # messages of kill and of nvidia-smi are read below

readonly ME=${0##*/}
readonly USAGE="usage: $ME <amount> [--enable-coordination-mode] [--coordination-file FILE] [--release INDICES]"
readonly TAKEN=75

say() { printf '%s: %s\n' "$ME" "$1" >&2; }
fail() { say "$1"; exit "${2-1}"; }

parse_arguments() { # sets amount, coordination, coordination_file, released
  [[ ${1-} =~ ^0*([0-9]{1,9})$ ]] || { say "the amount must be a number of GPUs, 0 or more, not '${1-}'"; printf '%s\n' "$USAGE" >&2; exit 1; }
  amount=${BASH_REMATCH[1]} coordination='' coordination_file=/var/tmp/flink-gpu-coordination released=''
  shift
  while (($#)); do
    case $1 in
      --enable-coordination-mode) coordination=yes ;;
      --enable-coordination)
        coordination=yes
        say "--enable-coordination is taken for --enable-coordination-mode; Flink's own script ignores the short form" ;;
      --coordination-file)
        [[ -n ${2-} ]] || fail '--coordination-file needs the path of a file'
        coordination_file=$2
        shift ;;
      --release)
        [[ ${2-} =~ ^[^,[:space:]]+(,[^,[:space:]]+)*$ ]] || fail "--release needs indices joined by commas, not '${2-}'"
        released=$2
        shift ;;
      *) say "'$1' is not known and is ignored" ;;
    esac
    shift
  done
}

find_gpus() { # sets visible (the indices in nvidia-smi's order) and property_line (by index)
  local fields=index shown index uuid memory bus name
  [[ ${TREADLE_DISCOVERY_PROPERTIES-} == 1 ]] && fields=index,uuid,memory.total,pci.bus_id,name
  command -v nvidia-smi >/dev/null || fail 'nvidia-smi is not on the PATH: the NVIDIA driver is not installed here, or not visible in this container'
  # what nvidia-smi says when it fails it says on stdout
  shown=$(nvidia-smi --query-gpu="$fields" --format=csv,noheader,nounits) || fail "nvidia-smi failed with $?: $shown"
  visible=()
  declare -gA property_line=()
  # the name comes last: it alone may hold a comma
  while IFS=, read -r index uuid memory bus name; do
    index=${index//[[:space:]]/}
    [[ $index =~ ^[0-9]+$ ]] || { [[ -z $index ]] || say "nvidia-smi says: $index $uuid"; continue; }
    visible+=("$index")
    property_line[$index]="$index: $(properties uuid "$uuid" name "$name" memory "$memory" pci_bus_id "$bus")"
  done <<<"$shown"
}

properties() { # properties <key> <value> …: key=value;… of those that nvidia-smi knows
  local joined='' value
  while (($#)); do
    value=${2#"${2%%[![:space:]]*}"}
    [[ -z $value || $value == \[*\] ]] || joined+="${joined:+;}$1=$value"
    shift 2
  done
  printf '%s' "$joined"
}

lives() { # a process of another user lives too, and with hidepid it isn't in /proc
  local answer
  answer=$(kill -0 "$1" 2>&1) || [[ $answer == *'not permitted'* ]]
}

lock_coordination_file() { # holds the lock until the script ends
  command -v flock >/dev/null || fail 'flock is not on the PATH: coordination mode needs util-linux'
  until open_and_lock; do :; done
}

open_and_lock() { # fails when the file was replaced while this waited: Flink's script does so (sed -i), and its old self's lock keeps nobody out
  local why=''
  unlock
  # for all users of the machine; another caller may have made it first
  [[ -e $coordination_file ]] || why=$( (umask 0; set -o noclobber; : >"$coordination_file") 2>&1)
  [[ -f $coordination_file && -r $coordination_file && -w $coordination_file ]] ||
    fail "cannot use the coordination file $coordination_file: its directory must exist, and it must be a file that this user may read and write${why:+ (${why##*: })}"
  # opened for reading: '<>' would create it, which Linux refuses for another user's file in a sticky directory (fs.protected_regular)
  exec 200<"$coordination_file"
  flock -x 200 || fail "cannot lock the coordination file $coordination_file"
  lock_predecessors && [[ $coordination_file -ef /proc/$$/fd/200 ]]
}

unlock() {
  local fd
  for fd in "${held[@]}" 200; do exec {fd}<&-; done
  held=()
}

lock_predecessors() { # sets held (descriptors); keeps out those of this user who opened the file before it was replaced: they lock the old one, and write to the new one
  local opened fd path
  path=$(readlink "/proc/$$/fd/200")
  for opened in /proc/[0-9]*/fd/200; do # the descriptor of Flink's script, and of this one
    [[ $(readlink "$opened") == "$path (deleted)" ]] && { exec {fd}<"$opened"; } 2>/dev/null || continue
    is_one_of "$fd" "${held[@]}" && { exec {fd}<&-; continue; }
    flock -n "$fd" && { held+=("$fd"); continue; }
    unlock # two that wait with a lock in hand might wait for each other
    flock -x "$fd"
    exec {fd}<&-
    return 1
  done
}

is_one_of() { # whether the first descriptor is on the same file as one of the others
  local other
  for other in "${@:2}"; do
    [[ /proc/$$/fd/$1 -ef /proc/$$/fd/$other ]] && return
  done
  return 1
}

read_rows() { # sets rows (those that are well-formed) and holder: index → mine, other or dead
  local row state
  rows=()
  declare -gA holder=()
  while read -r row || [[ -n $row ]]; do
    [[ -n $row ]] || continue
    [[ $row =~ ^([^[:space:]]+)\ ([1-9][0-9]*)$ ]] || { say "the malformed row '$row' of $coordination_file is dropped"; continue; }
    rows+=("$row")
    if [[ ${BASH_REMATCH[2]} == "$PPID" ]]; then state=mine; elif lives "${BASH_REMATCH[2]}"; then state=other; else state=dead; fi
    # a living owner's row counts whatever else is written of the index
    [[ $state == dead && -n ${holder[${BASH_REMATCH[1]}]-} || ${holder[${BASH_REMATCH[1]}]-} == other ]] || holder[${BASH_REMATCH[1]}]=$state
  done <&200
}

take() { # sets taken: what this owner has had from the file before, then free devices, then those of dead owners
  local wanted index
  # its own come first, so that a TaskManager that finds some of them leased and asks again for more gets a bigger set, not an additional one (Flink's
  # script gives additional ones). Dead owners' come last, since their processes may not have let go of the device yet.
  for wanted in mine free dead; do
    for index in "${visible[@]}"; do
      ((${#taken[@]} < amount)) || return 0
      [[ ${holder[$index]-free} != "$wanted" ]] || taken+=("$index")
    done
  done
}

write_taken() { # replaces what is said of the taken devices; compares whole indices, so that 0 is not taken for 10
  local index row kept='' listed=" ${taken[*]} "
  for row in "${rows[@]}"; do
    [[ $listed == *" ${row%% *} "* ]] || kept+=$row$'\n'
  done
  for index in "${taken[@]}"; do
    kept+="$index $PPID"$'\n'
  done
  write_rows "$kept"
}

release() { # removes the owner's own rows only
  local row kept=''
  for row in "${rows[@]}"; do
    [[ ${row#* } == "$PPID" && ,$released, == *",${row%% *},"* ]] || kept+=$row$'\n'
  done
  write_rows "$kept"
}

write_rows() {
  # in place, for the lock is on this very file; and cut afterwards, so that being killed in between loses nobody's row
  printf '%s' "$1" | dd of="$coordination_file" bs=64k conv=notrunc,nocreat status=none &&
    truncate -c -s "${#1}" "$coordination_file" || fail "cannot write the coordination file $coordination_file"
}

print_taken() {
  local IFS=, index
  printf '%s\n' "${taken[*]}"
  [[ ${TREADLE_DISCOVERY_PROPERTIES-} == 1 ]] || return 0
  for index in "${taken[@]}"; do
    printf '%s\n' "${property_line[$index]}"
  done
}

taken=() rows=() held=()
declare -A holder=()
parse_arguments "$@"
if [[ $released ]]; then
  [[ $coordination ]] || fail '--release goes with --enable-coordination-mode'
  [[ -e $coordination_file ]] || exit 0
  lock_coordination_file
  read_rows
  release
  exit
fi
((amount)) || exit 0
find_gpus
if [[ ${TREADLE_DISCOVERY_HEALTH-} == 1 ]]; then
  taken=("${visible[@]}")
  print_taken
  exit
fi
if [[ $coordination ]]; then
  lock_coordination_file
  read_rows
fi
take
((${#taken[@]} == amount)) ||
  fail "asked for $amount GPUs, nvidia-smi shows ${#visible[@]}, of these ${#taken[@]} are free${coordination:+ in $coordination_file}" \
    $((${#visible[@]} < amount ? 1 : TAKEN))
[[ -z $coordination ]] || write_taken
print_taken
