# shellcheck shell=bash
# Sourced by the scripts of this folder: containers on a machine without systemd, control groups or registries of its
# own. Everything lies in .cache/containers; what podman keeps elsewhere on this machine is neither seen nor changed.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scratch="$root/.cache/containers"

cannot() {
  echo "Containers cannot run here: $1" >&2
  exit 1
}

for program in buildah podman runc debootstrap iptables /usr/lib/podman/netavark /usr/lib/podman/aardvark-dns; do
  command -v "$program" >/dev/null || cannot "${program##*/} is missing, install Debian's package of that name."
done
[ "$(id -u)" = 0 ] || cannot "this needs root, run it with sudo."
unshare --mount --net true 2>/dev/null \
  || cannot "this machine may neither mount nor make networks (CAP_SYS_ADMIN, CAP_NET_ADMIN), start it with --privileged."

mkdir -p "$scratch"
probe=$(mktemp -d "$scratch/probe.XXXX")
mkdir "$probe/lower" "$probe/upper" "$probe/work" "$probe/merged"
driver=vfs # every layer is a copy of all below it: slow and large, but works everywhere
if unshare --mount mount -t overlay overlay "$probe/merged" \
  -o "lowerdir=$probe/lower,upperdir=$probe/upper,workdir=$probe/work" 2>/dev/null; then
  driver=overlay
fi
rm -rf "$probe"

cat >"$scratch/storage.conf" <<CONF
[storage]
driver = "$driver"
graphroot = "$scratch/storage"
runroot = "$scratch/run"
CONF
cat >"$scratch/containers.conf" <<CONF
[containers]
# they cannot be raised everywhere
default_ulimits = ["nofile=1024:1024", "nproc=2048:2048"]

[engine]
# crun wants more of the control groups than every machine has
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "$scratch/engine"

[network]
network_backend = "netavark"
network_config_dir = "$scratch/networks"
CONF
export CONTAINERS_STORAGE_CONF="$scratch/storage.conf" CONTAINERS_CONF="$scratch/containers.conf" BUILDAH_ISOLATION=chroot
unset STORAGE_DRIVER STORAGE_OPTS

# afterwards nothing runs, is mounted or lies on the disk
remove_everything() {
  podman rm --all --force --time 0 >/dev/null 2>&1 || true
  podman system reset --force >/dev/null 2>&1 || true
  # what a build or a start that was killed left mounted
  while read -r mounted; do umount "$mounted" || true; done \
    < <(awk -v below="$scratch/" 'index($2, below) == 1 {print $2}' /proc/mounts | tac)
  rm -rf "$scratch"
}
