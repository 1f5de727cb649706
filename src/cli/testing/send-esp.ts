// `send-esp.js FROM TO HEX`: one packet of IP protocol 50. Needs root.
import { DatagramSocket } from '#linux';
import { address } from '#sa';

const [from = '', to = '', hex = ''] = process.argv.slice(2);
const socket = new DatagramSocket(address(from), { kind: 'raw', protocol: 50 });
const sent = socket.send(address(from), { address: address(to), port: 0 }, Buffer.from(hex, 'hex'));
socket.close();
if (!sent) throw new Error(`nothing leads to ${to}`);
