// What a kernel without ESP can tell of SAs, more than anybody's socket has room for, for tests within a namespace: SPIs that are
// taken and given back again and again. The last one stays, of which the kernel says nothing.
import { address, addressBytes } from '#sa';
import { XfrmFamily, XfrmMode } from '#wire';
import { unlimitedLifetime, unusedYet } from '../states/kernel-state.ts';
import { XfrmSocket } from '../xfrm-socket.ts';

const [, , times = '', spi = ''] = process.argv;
const socket = new XfrmSocket();
const none = new Uint8Array(4);

function allocate(): void {
  socket.request({
    kind: 'allocate-spi',
    ...{ min: Number(spi), max: Number(spi), attributes: {} },
    state: {
      selector: {
        ...{ family: XfrmFamily.IPV4, source: none, destination: none, sourcePrefixLength: 0 },
        ...{ destinationPrefixLength: 0, sourcePort: 0, sourcePortMask: 0, destinationPort: 0 },
        ...{ destinationPortMask: 0, protocol: 0, interfaceIndex: 0, user: 0 },
      },
      ...{ family: XfrmFamily.IPV4, protocol: 50, spi: 0, requestId: 0, sequence: 0, mode: XfrmMode.TUNNEL },
      ...{ source: addressBytes(address('192.0.2.2')), destination: addressBytes(address('192.0.2.1')) },
      ...{ limits: unlimitedLifetime, used: unusedYet },
      ...{ replayWindowFailures: 0, replays: 0, integrityFailures: 0, replayWindow: 0, flags: 0 },
    },
  });
}

for (let i = 0; i < Number(times); i++) {
  allocate();
  socket.request({ kind: 'flush-sas', protocol: 0, attributes: {} });
}
allocate();
socket.close();
