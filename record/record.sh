#!/bin/sh
# Records what happens to the reference counts of device pages while a command runs, for `putpage trace`.
#
#   sh record.sh [-o NAME] [-b KB] [-t SECONDS] [-a] [-f FILTER] [-p] [--] [COMMAND [ARGUMENT...]]
#
# Needs root and a kernel with CONFIG_DEBUG_PAGE_REF; nothing else but a shell and the usual small tools. It works in a
# tracing instance of its own: buffer, events, filters and clock of anybody else's tracing stay as they are. What it sets
# up it takes away again, also when interrupted.
#
# PUTPAGE_TRACEFS: where tracefs is, if not where it usually is. PUTPAGE_PROC: where procfs is.
set -u
LC_ALL=C
export LC_ALL

usage() {
  cat <<'END'
usage: sh record.sh [options] [--] [command [argument...]]
Records the reference counts of device pages while the command runs; without a command, until Ctrl-C.

  -o NAME     writes NAME.dat and NAME.iomem (default: putpage-RELEASE-TIME)
  -b KB       size of the trace buffer, for each CPU (default 16384)
  -t SECONDS  stops recording after that time; a command that hangs is left alone
  -a          all pages of the system, not only those outside of ordinary memory: large
  -f FILTER   a filter of your own for the page_ref events, e.g. 'pfn >= 0x40000 && pfn <= 0x5ffff'
  -p          keeps attempts to take a reference that failed (page_ref_mod_unless with ret=0)
  -h          this help

Exit status: that of the command; 125 if nothing could be recorded.
END
}

say() { printf 'record: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 125
}

# ---- the command line -------------------------------------------------------------------------------------------------

name=
buffer=16384
limit=0
all=
own_filter=
probes=
while getopts o:b:t:af:ph option; do
  case $option in
    o) name=$OPTARG ;;
    b) buffer=$OPTARG ;;
    t) limit=$OPTARG ;;
    a) all=yes ;;
    f) own_filter=$OPTARG ;;
    p) probes=yes ;;
    h)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 125
      ;;
  esac
done
shift $((OPTIND - 1))
for number in "$buffer" "$limit"; do
  case $number in
    '' | *[!0-9]*) die "-b and -t take a whole number, not '$number'" ;;
  esac
done
[ "$buffer" -gt 0 ] || die '-b: the buffer must have a size'

# ---- what is there ----------------------------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || die 'this needs root: it reads tracefs and the addresses in /proc/iomem'
proc=${PUTPAGE_PROC:-/proc}
release=$(uname -r)
[ -n "$name" ] || name=putpage-$release-$(date +%Y%m%d-%H%M%S)
for file in "$name.dat" "$name.iomem"; do
  [ ! -e "$file" ] || die "$file exists already; choose another name with -o"
done

mounted=
tracefs=${PUTPAGE_TRACEFS:-}
if [ -z "$tracefs" ]; then
  for place in /sys/kernel/tracing /sys/kernel/debug/tracing; do
    if [ -e "$place/trace_clock" ]; then
      tracefs=$place
      break
    fi
  done
fi
if [ -z "$tracefs" ] && [ -d /sys/kernel/tracing ] && mount -t tracefs nodev /sys/kernel/tracing 2>/dev/null; then
  tracefs=/sys/kernel/tracing
  mounted=yes
fi
[ -n "$tracefs" ] || die 'tracefs is not mounted, and could not be: this kernel has no CONFIG_TRACING, or is locked down (mount -t tracefs nodev /sys/kernel/tracing)'

work=
instance=
probed=
cmdlines_before=
reader=
command=

# One value into one file of tracefs. Never opens with > what other people's settings are in: kprobe_events forgets all
# its probes when it is truncated.
put() { { printf '%s\n' "$1" >"$2"; } 2>/dev/null; }
add() { { printf '%s\n' "$1" >>"$2"; } 2>/dev/null; }

stop_reading() {
  [ -z "$reader" ] || {
    rm -f "$work/recording"
    wait "$reader" 2>/dev/null
    reader=
  }
}

# Leaves the system as it was found. Runs at every exit.
# shellcheck disable=SC2317 # called by the trap
restore() {
  trap '' INT TERM HUP USR1
  [ -z "$instance" ] || put 0 "$instance/tracing_on"
  [ -z "$work" ] || stop_reading
  if [ -n "$instance" ]; then
    put 0 "$instance/events/enable"
    rmdir "$instance" 2>/dev/null || say "could not remove $instance; do it by hand: rmdir $instance"
    instance=
  fi
  for probe in $probed; do
    add "-:putpage/$probe" "$tracefs/kprobe_events" || say "could not remove the probe putpage/$probe"
  done
  probed=
  [ -z "$cmdlines_before" ] || put "$cmdlines_before" "$tracefs/saved_cmdlines_size"
  cmdlines_before=
  [ -z "$work" ] || rm -rf "$work"
  work=
  [ -z "$mounted" ] || umount /sys/kernel/tracing 2>/dev/null
  mounted=
}
trap restore EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

[ -r "$tracefs/trace_clock" ] || die "cannot read $tracefs: not a tracefs, or this kernel is locked down"
[ -d "$tracefs/instances" ] || die "$tracefs has no instances: this kernel is too old"
[ -d "$tracefs/events/page_ref" ] || die "$release has no page_ref events: build it with CONFIG_DEBUG_PAGE_REF=y (docs/recording.md)"

# ---- which pages ------------------------------------------------------------------------------------------------------

page_size=$(getconf PAGESIZE 2>/dev/null) || page_size=4096
shift_by=0
while [ $((1 << shift_by)) -lt "$page_size" ]; do shift_by=$((shift_by + 1)); done

# A filter for the pages that no "System RAM" of /proc/iomem holds: every device page is one, also those of ranges that
# do not exist yet. Gaps of less than 2 MB cannot hold any.
outside_ram() {
  after=0
  filter=
  while read -r range _ what; do
    case $what in
      *'System RAM'*) ;;
      *) continue ;;
    esac
    start=$((0x${range%-*} >> shift_by))
    end=$((0x${range#*-} >> shift_by))
    if [ $((start - after)) -ge $((0x200000 >> shift_by)) ]; then
      filter=$filter$(printf '(pfn >= 0x%x && pfn < 0x%x) || ' "$after" "$start")
    fi
    [ "$end" -lt "$after" ] || after=$((end + 1))
  done <"$1"
  [ "$after" -gt 1 ] || return 1
  printf '%s(pfn >= 0x%x)' "$filter" "$after"
}

iomem=$proc/iomem
if [ -n "$own_filter" ]; then
  filter=$own_filter
elif [ -n "$all" ]; then
  filter=
else
  [ -r "$iomem" ] || die "cannot read $iomem; record all pages with -a, or give a filter with -f"
  filter=$(outside_ram "$iomem") || die "$iomem shows no addresses of System RAM (no CAP_SYS_ADMIN here?); record all pages with -a, or give a filter with -f"
  [ ${#filter} -lt 3900 ] || die 'memory is in too many pieces for one filter; record all pages with -a, or give a filter with -f'
fi

# ---- setting up -------------------------------------------------------------------------------------------------------

work=$name.part.$$
mkdir "$work" || {
  work=
  die "cannot write here: $name"
}

# What a run that was killed has left behind: an instance whose process is gone.
for left in "$tracefs"/instances/putpage-*; do
  [ -d "$left" ] || continue
  kill -0 "${left##*-}" 2>/dev/null || rmdir "$left" 2>/dev/null
done

# The type and range of each device: arguments of memremap_pages(). By name where the kernel knows its own types, else by
# the offsets that were looked up in the sources of these releases (64 bit, no lock debugging); elsewhere without.
type_probe() {
  if grep -q '<argname>\[->field' "$tracefs/README" 2>/dev/null &&
    add "p:putpage/kp_memremap memremap_pages pgmap=pgmap:x64 nid=nid:s32 type=pgmap->type:u32 owner=pgmap->owner:x64 nr=pgmap->nr_range:s32 start=pgmap->range.start:x64 end=pgmap->range.end:x64" "$tracefs/kprobe_events"; then
    return 0
  fi
  offsets=
  if [ ! -e "$proc/lockdep" ]; then
    case $release in
      5.10.*) offsets='104 120 128 136' ;;
      6.1.* | 7.3.*) offsets='96 120 128 136' ;;
      6.12.*) offsets='104 128 136 144' ;;
    esac
  fi
  case $(uname -m) in
    x86_64 | aarch64) ;;
    *) offsets= ;;
  esac
  if [ -n "$offsets" ]; then
    # shellcheck disable=SC2086 # four words
    set -- $offsets
    # shellcheck disable=SC2016 # $arg1 is the kernel's
    add "p:putpage/kp_memremap memremap_pages pgmap=\$arg1:x64 nid=\$arg2:s32 type=+$1(\$arg1):u32 owner=+$2(\$arg1):x64 nr=+$3(\$arg1):s32 start=+$4(\$arg1):x64 end=+$(($4 + 8))(\$arg1):x64" "$tracefs/kprobe_events"
    return
  fi
  return 1
}

if [ -e "$tracefs/kprobe_events" ]; then
  for probe in kp_memremap kp_unmap; do
    if grep -q "putpage/$probe " "$tracefs/kprobe_events" 2>/dev/null; then add "-:putpage/$probe" "$tracefs/kprobe_events"; fi
  done
  if type_probe; then probed=kp_memremap; else say 'the layout of struct dev_pagemap of this kernel is not known here: page types will be told from /proc/iomem'; fi
  # shellcheck disable=SC2016
  if add 'p:putpage/kp_unmap memunmap_pages pgmap=$arg1:x64' "$tracefs/kprobe_events"; then probed="$probed kp_unmap"; fi
else
  say 'no kprobe events in this kernel (CONFIG_KPROBE_EVENTS): page types will be told from /proc/iomem'
fi

mkdir "$tracefs/instances/putpage-$$" 2>/dev/null || die "cannot make a tracing instance below $tracefs/instances"
instance=$tracefs/instances/putpage-$$
put 0 "$instance/tracing_on" || die "cannot write to $instance: is this kernel locked down?"

clock=
for candidate in mono global; do
  if grep -q "\\[*$candidate\\]*\\( \\|\$\\)" "$instance/trace_clock" 2>/dev/null && put "$candidate" "$instance/trace_clock"; then
    clock=$candidate
    break
  fi
done
[ -n "$clock" ] || die 'no clock that can be compared between CPUs (mono, global)'
put "$buffer" "$instance/buffer_size_kb" || die "no memory for a buffer of $buffer KB for each CPU; try a smaller one with -b"
put 1 "$instance/options/stacktrace" || die 'this kernel records no stacks (CONFIG_STACKTRACE)'

for event in "$instance"/events/page_ref/*/; do
  [ -e "${event}filter" ] || continue
  here=$filter
  case $event in
    */page_ref_mod_unless/)
      # Who looks for pages in use tries every page of a device: 65,536 failures say nothing.
      if [ -z "$probes" ]; then here=${filter:+($filter) && }ret!=0; fi
      ;;
  esac
  [ -z "$here" ] || put "$here" "${event}filter" || die "the kernel does not accept the filter: $here"
done

if [ -r "$tracefs/saved_cmdlines_size" ]; then
  size=$(cat "$tracefs/saved_cmdlines_size")
  if [ "${size:-0}" -lt 8192 ] 2>/dev/null && put 8192 "$tracefs/saved_cmdlines_size"; then cmdlines_before=$size; fi
fi

# ---- reading while it runs --------------------------------------------------------------------------------------------

# The size of what one read of trace_pipe_raw gives: not always a page.
data=$(sed -n 's/.*field:.* data;.*offset:\([0-9]*\);.*size:\([0-9]*\);.*/\1 \2/p' "$tracefs/events/header_page" 2>/dev/null)
case $data in
  *[0-9]' '[0-9]*) sub_buffer=$((${data% *} + ${data#* })) ;;
  *) sub_buffer=$page_size ;;
esac

# stat_of CPU NAME: a number of its stats; 0 if there is none.
stat_of() {
  value=$(sed -n "s/^$2: *\\([0-9][0-9]*\\).*/\\1/p" "$1/stats" 2>/dev/null)
  printf '%s' "${value:-0}"
}
nap() { sleep 0.1 2>/dev/null || sleep 1; }

# Pages of a CPU's buffer that are surely full: no record is smaller than 24 bytes. A page that is being filled stays
# until the end: reading it would make a file of crumbs, and reading an empty buffer waits. (The kernel's own count of
# bytes is wrong before v6.6.)
full_pages() {
  printf '%d' $(($(stat_of "$1" entries) * 24 / sub_buffer))
}

read_full_pages() {
  for cpu in "$instance"/per_cpu/cpu*/; do
    cpu=${cpu%/}
    rounds=0
    while pages=$(full_pages "$cpu") && [ "$pages" -gt 0 ] && [ "$rounds" -lt 20 ]; do
      dd if="$cpu/trace_pipe_raw" bs="$sub_buffer" count="$pages" >>"$work/${cpu##*/}.pages" 2>/dev/null
      rounds=$((rounds + 1))
    done
  done
}

# Names of the functions of modules, which may be gone at the end.
module_symbols() {
  if ! cmp -s "$proc/modules" "$work/modules" 2>/dev/null; then
    cat "$proc/modules" >"$work/modules" 2>/dev/null
    sed -n '/ [tTwW] .*\[/p' "$proc/kallsyms" >>"$work/symbols" 2>/dev/null
    cat "$iomem" >>"$work/iomem.seen" 2>/dev/null
  fi
}

read_until_stopped() {
  seconds=0
  while [ -e "$work/recording" ]; do
    read_full_pages
    module_symbols
    sleep 1
    seconds=$((seconds + 1))
    if [ "$limit" -gt 0 ] && [ "$seconds" -eq "$limit" ]; then kill -USR1 $$; fi
  done
}

# What is left when recording is over, the last page of each CPU included. A read that gets nothing would wait for ever:
# a reader without progress is ended.
read_rest() {
  read_full_pages
  for cpu in "$instance"/per_cpu/cpu*/; do
    cpu=${cpu%/}
    while entries=$(stat_of "$cpu" entries) && [ "$entries" -gt 0 ]; do
      dd if="$cpu/trace_pipe_raw" bs="$sub_buffer" count=1 >>"$work/${cpu##*/}.pages" 2>/dev/null &
      last=$!
      naps=0
      while kill -0 "$last" 2>/dev/null; do
        nap
        naps=$((naps + 1))
        [ "$naps" -lt 30 ] || kill "$last" 2>/dev/null
      done
      wait "$last" 2>/dev/null
      [ "$(stat_of "$cpu" entries)" != "$entries" ] || break
    done
  done
}

mark() { add "putpage $*" "$instance/trace_marker"; }

stopped=
: >"$work/recording"
sed -n '/ [tTwW] [^[]*$/p' "$proc/kallsyms" >"$work/symbols" 2>/dev/null
put 1 "$instance/events/page_ref/enable" || die 'cannot enable the page_ref events'
[ -z "$probed" ] || put 1 "$instance/events/putpage/enable" || say 'the probes of memremap_pages() cannot be enabled'
put 1 "$instance/tracing_on" || die 'cannot start tracing'
mark "uname: $(uname -s -r -v -m)"
mark "command: $*"
while IFS= read -r line; do mark "iomem: $line"; done <"$iomem" 2>/dev/null
read_until_stopped &
reader=$!
trap 'stopped=130' INT
trap 'stopped=143' TERM HUP
trap 'stopped=limit' USR1

status=0
if [ $# -gt 0 ]; then
  say "recording: $*"
  "$@" <&0 &
  command=$!
  while [ -z "$stopped" ]; do
    wait "$command"
    status=$?
    kill -0 "$command" 2>/dev/null || break
  done
else
  say 'recording; stop with Ctrl-C'
  while [ -z "$stopped" ]; do sleep 1; done
fi
case $stopped in
  limit)
    status=0
    [ -z "$command" ] || say "$limit seconds are over; the command (process $command) is still running"
    ;;
  ?*)
    # A command that the shell has put aside does not hear Ctrl-C.
    [ -z "$command" ] || kill -TERM "$command" 2>/dev/null
    [ $# -eq 0 ] || status=$stopped
    ;;
esac
trap 'exit 130' INT
trap 'exit 143' TERM HUP
trap '' USR1

# ---- the end: everything out of the kernel, then into one file --------------------------------------------------------

put 0 "$instance/tracing_on"
stop_reading
read_rest
module_symbols
cat "$iomem" >"$name.iomem" 2>/dev/null
lost=0
for cpu in "$instance"/per_cpu/cpu*/; do
  cat "$cpu/stats" >"$work/$(basename "$cpu").stats" 2>/dev/null
  for word in overrun 'dropped events'; do lost=$((lost + $(stat_of "${cpu%/}" "$word"))); done
done

# The file is a trace.dat of version 6, which trace-cmd, KernelShark and putpage read.
big_endian=
[ "$(printf '\001\000' | od -An -tu2 | tr -d ' ')" = 1 ] || big_endian=1

# number VALUE BYTES: in the machine's byte order.
number() {
  value=$1
  bytes=$2
  text=
  while [ "$bytes" -gt 0 ]; do
    byte=$((value & 255))
    escape=\\0$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))
    if [ -n "$big_endian" ]; then text=$escape$text; else text=$text$escape; fi
    value=$((value >> 8))
    bytes=$((bytes - 1))
  done
  printf '%b' "$text"
}
size_of() { wc -c <"$1" | tr -d ' '; }
# sized BYTES FILE: its length, then the file. Files of tracefs have no size before they are read.
sized() {
  cat "$2" >"$work/chunk"
  number "$(size_of "$work/chunk")" "$1"
  cat "$work/chunk"
}
# option ID FILE
option() {
  cat "$2" >"$work/option"
  printf '\0' >>"$work/option"
  number "$1" 2
  sized 4 "$work/option"
}

cpus=0
for cpu in "$instance"/per_cpu/cpu*/; do
  id=${cpu%/}
  id=${id##*/cpu}
  [ "$id" -lt "$cpus" ] || cpus=$((id + 1))
done

head_of_file() {
  printf '\027\010\104tracing6\0'
  printf '%b' "\\0${big_endian:-0}\\010"
  number "$sub_buffer" 4
  printf 'header_page\0'
  sized 8 "$tracefs/events/header_page"
  printf 'header_event\0'
  sized 8 "$tracefs/events/header_event"
  set -- "$tracefs"/events/ftrace/*/format
  number $# 4
  for format in "$@"; do sized 8 "$format"; done
  systems=page_ref
  [ ! -d "$instance/events/putpage" ] || systems='page_ref putpage'
  # shellcheck disable=SC2086
  set -- $systems
  number $# 4
  for system in "$@"; do
    printf '%s\0' "$system"
    # shellcheck disable=SC2046
    number $(find "$instance/events/$system" -name format | wc -l) 4
    for format in "$instance/events/$system"/*/format; do sized 8 "$format"; done
  done
  sort -u "$work/symbols" >"$work/kallsyms"
  sized 4 "$work/kallsyms"
  number 0 4
  cat "$tracefs/saved_cmdlines" >"$work/cmdlines" 2>/dev/null || : >"$work/cmdlines"
  sized 8 "$work/cmdlines"
  number "$cpus" 4
  printf 'options  \0'
  option 4 "$instance/trace_clock"
  uname -s -n -r -m >"$work/uname"
  option 5 "$work/uname"
  id=0
  while [ "$id" -lt "$cpus" ]; do
    if [ -e "$work/cpu$id.stats" ]; then
      { printf 'CPU: %d\n' "$id" && cat "$work/cpu$id.stats"; } >"$work/stats"
      option 2 "$work/stats"
    fi
    id=$((id + 1))
  done
  number 0 2
  printf 'flyrecord\0'
}

say 'writing the file'
head_of_file >"$work/dat" || die 'cannot write the trace'
# Each CPU's pages begin on a page of the file.
aligned() { printf '%d' $((($1 + sub_buffer - 1) / sub_buffer * sub_buffer)); }
offset=$(aligned $(($(size_of "$work/dat") + cpus * 16)))
id=0
at=$offset
while [ "$id" -lt "$cpus" ]; do
  length=0
  [ ! -e "$work/cpu$id.pages" ] || length=$(size_of "$work/cpu$id.pages")
  number "$at" 8
  number "$length" 8
  at=$(aligned $((at + length)))
  id=$((id + 1))
done >>"$work/dat"
missing=$((offset - $(size_of "$work/dat")))
[ "$missing" -eq 0 ] || dd if=/dev/zero bs="$missing" count=1 >>"$work/dat" 2>/dev/null
id=0
while [ "$id" -lt "$cpus" ]; do
  if [ -e "$work/cpu$id.pages" ]; then
    cat "$work/cpu$id.pages" >>"$work/dat" || die 'cannot write the trace: is the disk full?'
    rm -f "$work/cpu$id.pages"
  fi
  id=$((id + 1))
done
mv "$work/dat" "$name.dat" || die "cannot write $name.dat"

if [ -s "$work/iomem.seen" ] && ! cmp -s "$work/iomem.seen" "$name.iomem"; then
  # Ranges that came and went, beside those there are at the end.
  sort -u "$work/iomem.seen" >"$work/iomem.all"
  sort -u "$name.iomem" >"$work/iomem.end"
  comm -23 "$work/iomem.all" "$work/iomem.end" | grep -v 'System RAM' >>"$name.iomem"
fi

[ "$lost" -eq 0 ] || say "the buffer was too small: $lost events are lost; record again with -b $((buffer * 4))"
say "$name.dat: $(size_of "$name.dat") bytes, with stacks, clock $clock"
say "read it with: putpage trace $name.dat --iomem $name.iomem"
exit "$status"
