#!/bin/sh
# The first process of a guest with systemd, once guest-init.sh has done its part: it makes room for what systemd and an
# administrator write, installs the command, and becomes systemd with as few units as that can do with.
# From the kernel's command line: SHARED, CLONE (where this clone is), NODE (the program).
chmod 755 /run
mkdir -p /run/etc/systemd/system /run/units
for name in alternatives group gshadow ld.so.cache nsswitch.conf passwd shadow; do cp -a "/etc/$name" /run/etc/; done
: > /run/etc/machine-id
mount --bind /run/etc /etc
for folder in /tmp /var /srv /usr/local/sbin /usr/lib/sysusers.d; do mount -t tmpfs -o mode=755 tmp "$folder"; done
mkdir -p /var/lib /var/tmp /srv/clone /srv/node
chmod 1777 /tmp /var/tmp
mkdir -p "$SHARED"
mount -t hostfs none "$SHARED" -o "$SHARED"

# Where a service finds it that sees nobody's home, and a /tmp of its own.
mount -t hostfs none /srv/clone -o "$CLONE"
mount -t hostfs none /srv/node -o "$(dirname "$NODE")"
cat > /usr/local/sbin/wayward << END
#!/bin/sh
exec "/srv/node/$(basename "$NODE")" /srv/clone/dist/bundle/main.js "\$@"
END
chmod +x /usr/local/sbin/wayward

# As udev would do it.
/run/modprobe -q tun
chmod 666 /dev/net/tun

for unit in sysinit basic multi-user network network-online shutdown umount; do
  ln -s "/lib/systemd/system/$unit.target" /run/units/
done
for unit in systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket; do
  ln -s "/lib/systemd/system/$unit" /run/units/
done
cat > /run/units/commands.service << END
[Unit]
Requires=systemd-journald.service
[Service]
ExecStart=/usr/bin/socat -t 300 TCP-LISTEN:2222,fork,reuseaddr EXEC:/bin/sh,stderr
KillMode=process
END
# This machine may be a container, and its files may say so; the guest is none.
export container=
# No other units than these, and no programs that make more: they take seconds here.
export SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/system:/run/units SYSTEMD_GENERATOR_PATH=/run/none
exec /lib/systemd/systemd --unit=commands.service --show-status=no
