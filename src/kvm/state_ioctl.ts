/** The ioctls that get or set one structure of a vCPU. */
import { decode, encode, type Layout, type ValueOf } from "../../ffi/abi/layout.ts";
import type { IoctlName } from "../../ffi/abi/ioctls.ts";
import type { FileDescriptor } from "../../ffi/file_descriptor.ts";
import { act, type ActionOperand, type Observed } from "./action.ts";
import { ioctlBuffer } from "./ioctl.ts";

const scratch = new Map<Layout, DataView<ArrayBuffer>>();

/** A buffer for one structure, made once: an ioctl is done with it when it returns. */
export function scratchBuffer(layout: Layout): DataView<ArrayBuffer> {
  let view = scratch.get(layout);
  if (view === undefined) {
    view = new DataView(new ArrayBuffer(layout.size));
    scratch.set(layout, view);
  }
  return view;
}

/** Gets a structure. */
export function getState<L extends Layout>(
  fd: FileDescriptor,
  name: IoctlName,
  layout: L,
): ValueOf<L> {
  const view = scratchBuffer(layout);
  ioctlBuffer(fd, name, view);
  return decode(layout, view);
}

/** Sets a structure, and reports it as an action. */
export function setState<L extends Layout>(
  fd: FileDescriptor,
  observed: Observed,
  action: string,
  name: IoctlName,
  layout: L,
  value: ValueOf<L>,
  operands: readonly ActionOperand[] = [],
): void {
  act(observed, action, operands, () => {
    const view = scratchBuffer(layout);
    encode(layout, view, value);
    ioctlBuffer(fd, name, view);
  });
}
