/** Where everything lies in a guest's memory. */

/** A range of guest-physical addresses. */
export interface Region {
  /** Guest-physical address of the first byte. */
  readonly address: number;
  /** Size in bytes. */
  readonly size: number;
}

/** Names of the regions in {@linkcode memoryMap}. */
export type RegionName =
  | "realModeVectors"
  | "gdt"
  | "idt"
  | "taskState"
  | "ioPermissionBitmap"
  | "unexpectedVector"
  | "interruptStacks"
  | "privilegedStack"
  | "stack"
  | "code"
  | "data"
  | "pageTables"
  | "memory";

/**
 * The guest-physical memory of a case, the same in every mode; linear addresses are equal to
 * physical ones until a case maps something else. Bytes nobody describes are zero.
 *
 * | from      | to        | name                       | holds                                    |
 * | --------- | --------- | -------------------------- | ---------------------------------------- |
 * | `0x00000` | `0x003ff` | `realModeVectors`          | real-mode interrupt vector table         |
 * | `0x01000` | `0x010ff` | `gdt`                      | 32 GDT slots                             |
 * | `0x02000` | `0x02fff` | `idt`                      | 256 gates of 8 or 16 bytes               |
 * | `0x03000` | `0x03067` | `taskState`                | TSS, 32-bit or 64-bit                    |
 * | `0x03068` | `0x05068` | `ioPermissionBitmap`       | 65536 bits and the closing 0xff          |
 * | `0x05800` | `0x0580f` | `unexpectedVector`         | real-mode code behind unnamed vectors    |
 * | `0x06100` | `0x067ff` | `interruptStacks`          | IST7 (lowest) to IST1, 256 bytes each    |
 * | `0x06800` | `0x06fff` | `privilegedStack`          | stack of a switch to CPL 0 (RSP0, ESP0)  |
 * | `0x07000` | `0x07fff` | `stack`                    | the stack a guest starts on              |
 * | `0x08000` | `0x09fff` | `code`                     | the guest; its entry point is `0x8000`   |
 * | `0x0a000` | `0x0ffff` | `data`                     | zeros, for the case                      |
 * | `0x10000` | `0x1ffff` | `pageTables`               | 16 pages, the top structure first        |
 * | `0x00000` | `0x1ffff` | `memory`                   | all of it, 128 KiB                       |
 *
 * A stack's top is the end of its region. All sizes are in bytes.
 */
export const memoryMap: Readonly<Record<RegionName, Region>> = {
  realModeVectors: { address: 0x0, size: 0x400 },
  gdt: { address: 0x1000, size: 0x100 },
  idt: { address: 0x2000, size: 0x1000 },
  taskState: { address: 0x3000, size: 0x68 },
  ioPermissionBitmap: { address: 0x3068, size: 0x2001 },
  unexpectedVector: { address: 0x5800, size: 0x10 },
  interruptStacks: { address: 0x6100, size: 0x700 },
  privilegedStack: { address: 0x6800, size: 0x800 },
  stack: { address: 0x7000, size: 0x1000 },
  code: { address: 0x8000, size: 0x2000 },
  data: { address: 0xa000, size: 0x6000 },
  pageTables: { address: 0x10000, size: 0x10000 },
  memory: { address: 0x0, size: 0x20000 },
};

/** Size of each of the seven IST stacks, in bytes. */
export const interruptStackSize = 0x100;
