"""libtorrent as one peer on loopback: `seed` listens and prints its port, `leech` connects to the port given.
Prints "done" when it has everything, and leaves when its input ends."""
import select
import sys
import time

import libtorrent as lt

mode, torrent, folder, port = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
session = lt.session({
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "allow_multiple_connections_per_ip": True,
    "out_enc_policy": 2,
    "in_enc_policy": 2,
    "allowed_enc_level": 1,
})
params = lt.add_torrent_params()
with open(torrent, "rb") as file:
    params.ti = lt.torrent_info(lt.bdecode(file.read()))
params.save_path = folder
params.flags &= ~(lt.torrent_flags.paused | lt.torrent_flags.auto_managed)
handle = session.add_torrent(params)
while mode == "seed" and not handle.status().is_seeding:
    time.sleep(0.05)
while session.listen_port() == 0:
    time.sleep(0.05)
print(session.listen_port(), flush=True)
if mode == "leech":
    handle.connect_peer(("127.0.0.1", port))
done = False
while not select.select([sys.stdin], [], [], 0.05)[0]:
    if handle.status().is_seeding and not done:
        print("done", flush=True)
        done = True
