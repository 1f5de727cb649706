// Beside the file that starts it, wherever both are bundled to.
import '../packet-thread/worker.ts';
