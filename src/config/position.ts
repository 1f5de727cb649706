// Where something stands in the operator's text.

/** Lines and columns count from 1; columns count UTF-16 units. Line 0: the node did not come from text. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** `swanctl.conf:12:5`, or the file alone if the node did not come from text. */
export function formatPosition(position: Position): string {
  return position.line === 0 ? position.file : `${position.file}:${position.line}:${position.column}`;
}
