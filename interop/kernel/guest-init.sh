#!/bin/sh
# The first process of a guest. Its root is this machine's, to be read only; what both write is in SHARED.
# From the kernel's command line: SHARED, ADDRESSES, INNER (comma-separated, with prefix lengths); THEN, if it becomes another
# program in the end.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
mkdir -p /dev/pts
mount -t devpts pts /dev/pts
mount -t hostfs none "$SHARED" -o "$SHARED"
# Modules are where Debian's kernel for User-Mode Linux has them, also those that the kernel asks for by itself.
mkdir -p /run/modules/lib/modules
ln -s "/usr/lib/uml/modules/$(uname -r)" /run/modules/lib/modules/
printf '#!/bin/sh\nexec /sbin/modprobe -d /run/modules "$@"\n' > /run/modprobe
chmod +x /run/modprobe
echo /run/modprobe > /proc/sys/kernel/modprobe
/run/modprobe -q -a xfrm_user esp4 esp6 af_packet
ip link set lo up
for address in $(echo "$INNER" | tr , ' '); do ip address add "$address" dev lo; done
for address in $(echo "$ADDRESSES" | tr , ' '); do
  case $address in
  *:*) ip address add "$address" dev vec0 nodad ;;
  *) ip address add "$address" dev vec0 ;;
  esac
done
ip link set vec0 up
[ -z "$THEN" ] || exec "$THEN"
exec socat -t 300 TCP-LISTEN:2222,fork,reuseaddr EXEC:/bin/sh,stderr
