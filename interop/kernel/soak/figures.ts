// What a process holds, as its kernel sees it: a leak shows in one of these.

export interface ProcessFigures {
  readonly residentKib: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** A line of shell that tells them, in the place where the process runs. */
export function figuresCommand(pid: number): string {
  const status = `grep -E '^(VmRSS|Threads):' /proc/${pid}/status`;
  return `${status}; echo "Descriptors: $(ls /proc/${pid}/fd | wc -l)"`;
}

export function parseFigures(text: string): ProcessFigures {
  const field = (name: string): number => {
    const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text);
    if (match === null) throw new Error(`no ${name} of the process:\n${text}`);
    return Number(match[1]);
  };
  return {
    residentKib: field('VmRSS'),
    descriptors: field('Descriptors'),
    threads: field('Threads'),
  };
}

/** The least that was seen in the second and in the last quarter: about what collections of garbage leave. */
export interface Floors {
  readonly warm: number;
  readonly end: number;
}

export function floors(samples: readonly number[]): Floors {
  const quarter = Math.ceil(samples.length / 4);
  return {
    warm: Math.min(...samples.slice(quarter, 2 * quarter)),
    end: Math.min(...samples.slice(-quarter)),
  };
}
