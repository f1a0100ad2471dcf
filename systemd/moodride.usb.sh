#!/bin/sh
# What needs root when a stick comes and goes, for moodride.usb@.service:
#
#   moodride.usb.sh check sda1     0: a stick; 1: it is none, or is in use (said why)
#   moodride.usb.sh mount sda1     read-only below /run/moodride-media
#   moodride.usb.sh unmount sda1   also while its files are open, and when the device is gone
#
# It is systemd that mounts and unmounts, being asked to: what a process of this unit does itself
# stays within this unit, also where its line begins with a plus, and nobody else would see it.
# In /run, because a root that is read-only has no other place for new folders.
set -euf
umask 022

MEDIA=${MOODRIDE_MEDIA:-/run/moodride-media}
DEVICES=${MOODRIDE_DEVICES:-/dev}
CMDLINE=${MOODRIDE_CMDLINE:-/proc/cmdline}
OWNER=${MOODRIDE_OWNER:-moodride}

say() { printf '%s: %s\n' "$name" "$*"; }

refuse() {
    say "$*" >&2
    exit 1
}

# The disk that a partition is part of, or the medium itself where it has none.
disk_of() {
    parent=$(lsblk --noheadings --nodeps --raw --output PKNAME -- "$1" 2>/dev/null) || return 1
    parent=$(echo "$parent" | head -n 1)
    echo "${parent:-${1##*/}}"
}

# --- is it a stick? ---------------------------------------------------------------------

check() {
    [ -e "$device" ] || refuse 'is gone again'
    # What cannot be looked at is not touched.
    disk=$(disk_of "$device") || refuse 'is left alone: lsblk does not say which disk it is part of'
    root=$(root_of_the_system)
    if [ -n "$root" ] && system=$(disk_of "$root"); then
        [ "$system" != "$disk" ] || refuse "is left alone: the system was started from $disk"
    elif [ -e "$root" ]; then
        refuse "is left alone: lsblk does not say which disk $root is"
    fi
    # Whatever else is mounted from this disk belongs to the system, or to a person who works with it.
    mounted=$(lsblk --noheadings --raw --output NAME,MOUNTPOINT -- "$DEVICES/$disk") ||
        refuse "is left alone: lsblk does not say what of $disk is mounted"
    while read -r part place; do
        case $place in
            '' | "$MEDIA"/*) ;;
            *) refuse "is left alone: $part is mounted at $place; to play what is there:" \
                "moodride library scan $place" ;;
        esac
    done <<EOF
$mounted
EOF
}

# The device of root= on the kernel's command line: an overlay on top of it hides where it is mounted.
root_of_the_system() {
    read -r line <"$CMDLINE" || line=''
    for word in $line; do
        case $word in
            root=/dev/*) echo "${word#root=}" ;;
            root=*=*) findfs "${word#root=}" 2>/dev/null || true ;;
        esac
    done | tail -n 1
}

# --- mount ------------------------------------------------------------------------------

probe() { blkid -p -o value -s "$1" -- "$device" 2>/dev/null || true; }

# Options by file system. Where it knows no owners, the files are the music's own. Nothing is ever
# written to a stick: no journal is replayed (noload), which even a read-only mount would do.
options_for() {
    uid=$(id -u "$OWNER")
    gid=$(id -g "$OWNER")
    ours="uid=$uid,gid=$gid,dmask=0227,fmask=0337"
    case $1 in
        # Times as they are: with the time zone taken off, all files change twice a year.
        vfat) echo "$ours,utf8,tz=UTC" ;;
        exfat | ntfs-3g) echo "$ours" ;;
        ntfs3) echo "$ours,iocharset=utf8" ;;
        # The stick itself may ask for a kernel panic where it is damaged.
        ext2) echo 'errors=continue' ;;
        ext3 | ext4) echo 'noload,errors=continue' ;;
        hfsplus) echo "uid=$uid,gid=$gid,umask=0227,nls=utf8" ;;
    esac
}

# NTFS has two drivers: one in kernels from 5.15 on, one in user space that has to be installed.
driver_for() {
    if [ "$1" != ntfs ]; then
        echo "$1"
    elif modprobe --quiet ntfs3 2>/dev/null || grep -qw ntfs3 /proc/filesystems; then
        echo ntfs3
    elif command -v ntfs-3g >/dev/null; then
        echo ntfs-3g
    else
        refuse 'is NTFS, which this kernel cannot read; sudo apt install ntfs-3g'
    fi
}

# A folder of its own, by the file system's UUID: the same stick comes back to the same place.
place_for() {
    place=$MEDIA/${1:-$name}
    if source=$(findmnt --noheadings --raw --output SOURCE --mountpoint "$place" | tail -n 1) &&
        [ -n "$source" ]; then
        if [ "$source" != "$device" ] && [ -e "$source" ]; then
            place=$place.$name # a copy of a stick, with its UUID
        else
            let_go "$place" # left behind by one that was pulled out
        fi
    fi
    echo "$place"
}

mount_it() {
    type=$(probe TYPE)
    uuid=$(probe UUID | LC_ALL=C tr -cd 'A-Za-z0-9-' | cut -c 1-64)
    # It ends up in quotes in a file that systemd reads.
    label=$(blkid -p -o udev -- "$device" 2>/dev/null |
        sed -n 's/^ID_FS_LABEL=//p' | LC_ALL=C tr -d '"\\`$\000-\037\177') || label=''
    driver=$(driver_for "$type")
    options=$(options_for "$driver")
    [ -n "$options" ] || refuse "holds no file system that is known here (${type:-none})"
    place=$(place_for "$uuid")
    mkdir -p -- "$MEDIA"
    systemd-mount --quiet --collect --no-ask-password --fsck=no --type="$driver" \
        --options="ro,nosuid,nodev,noexec,$options" --property=LazyUnmount=yes \
        --description="Music on $name" -- "$device" "$place" || {
        rmdir -- "$place" 2>/dev/null || true
        refuse "$driver, cannot be mounted; is it damaged? journalctl -b --grep '${place##*/}' tells more"
    }
    medium=${uuid:+${place##*/}}
    printf 'MOUNTPOINT="%s"\nMEDIUM="%s"\nLABEL="%s"\n' "$place" "$medium" "$label" >"$note"
    say "${label:-a stick without a name} ($driver) is mounted at $place"
}

# --- unmount ----------------------------------------------------------------------------

# Lazily, as it was mounted: a track that plays from it keeps its file open for another moment.
let_go() { systemd-mount --umount --quiet --no-ask-password -- "$1" 2>/dev/null || true; }

unmount_it() {
    [ -e "$note" ] || return 0
    place=$(sed -n 's/^MOUNTPOINT="\(.*\)"$/\1/p' "$note")
    rm -f -- "$note"
    # systemd does the same by itself where the device is gone, at the same time; and an empty
    # folder that stays would look like a stick whose files were all deleted.
    for _ in 1 2 3 4 5; do
        let_go "$place"
        rmdir -- "$place" 2>/dev/null || true
        [ -e "$place" ] || break
        sleep 0.2
    done
    say "is gone from $place"
}

[ $# -eq 2 ] || {
    echo "usage: $0 check|mount|unmount DEVICE, such as sda1" >&2
    exit 64
}
name=$2 device=$DEVICES/$2 note=$MEDIA/.$2.env
case $1 in
    check) check ;;
    mount) mount_it ;;
    unmount) unmount_it ;;
    *)
        name=$1
        refuse 'is none of check, mount and unmount'
        ;;
esac
