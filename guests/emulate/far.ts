import { defineCases } from "../../mod.ts";
import { emulated } from "../_ways.ts";
import { type Try, tryOne } from "./_try.ts";

const [NP, GP, PF] = [11, 13, 14];
const user = { privilege: 3 } as const;

/** Code segments beside the flat ones, by selector. */
const descriptors = {
  // Conforming code of DPL 0, of DPL 3, and code of DPL 0 that was never loaded.
  0x78: 0x00cf9f000000ffffn,
  0x80: 0x00cfff000000ffffn,
  0x88: 0x00cf9a000000ffffn,
  // Code of DPL 0 that is not present, and with a limit of 0x8fff.
  0x90: 0x00cf1b000000ffffn,
  0x98: 0x00409b0000008fffn,
  // Code of DPL 1, and of DPL 3.
  0xa0: 0x00cfbb000000ffffn,
  0xa8: 0x00cffb000000ffffn,
};

const bytes = (value: number, count: number) =>
  Array.from({ length: count }, (_, index) => value >>> 8 * index & 0xff).join(", ");

/** A far jump or call with an operand of 32 bits. */
const jump = (selector: number) => `db 0xea\ndd over\ndw ${selector}`;
const call = (selector: number) => `db 0x9a\ndd over\ndw ${selector}`;

/** A far JMP that gets there, where it runs as 32-bit code. */
function jumps(selector: number, state: string, machine: Try["machine"] = {}): Try {
  return { mode: "protected", machine, tried: jump(selector), behind: "int3\nover:", state };
}

function refusesJump(
  selector: number,
  vector: number,
  error = selector & 0xfffc,
  machine: Try["machine"] = {},
): Try {
  if (machine?.privilege === 3) {
    return {
      machine,
      before: `mov dword [0xa010], over\nmov word [0xa014], ${selector}`,
      tried: `db 0xff, 0x2c, 0x25, ${bytes(0xa010, 4)}`,
      behind: "over:",
      fault: { vector, error },
      state: ({ over }) => `= mem 0xa010 u32 [${over} 0x${selector.toString(16)}]`,
    };
  }
  return {
    mode: "protected",
    machine,
    tried: jump(selector),
    behind: "over:",
    fault: { vector, error },
  };
}

/** A far RET, whose return address is on the stack. */
function refusesReturn(
  selector: number,
  vector: number,
  error = selector & 0xfffc,
  machine: Try["machine"] = {},
): Try {
  if (machine?.privilege === 3) {
    return {
      machine,
      before: `push ${selector}\npush over`,
      tried: "db 0x48, 0xcb",
      behind: "over:",
      fault: { vector, error, rsp: 0x7ff0 },
      state: ({ over }) => `= mem 0x7ff0 u64 [${over} 0x${selector.toString(16)}]`,
    };
  }
  return {
    mode: "protected",
    machine,
    before: `push ${selector}\npush over`,
    tried: "retf",
    behind: "over:",
    fault: { vector, error, rsp: 0x7ff8 },
    state: ({ over }) => `= mem 0x7ff8 u32 [${over} 0x${selector.toString(16)}]`,
  };
}

const rows: Record<string, Try> = {
  "jump": jumps(0x8, ""),
  // The RPL of what is loaded is the CPL.
  "jump-conforming": jumps(0x7b, "= cs.selector 0x78\n= cs.access 0xc09f"),
  "jump-conforming-at-3": jumps(0x78, "= cs.selector 0x7b\n= cs.access 0xc09f", user),
  "jump-accessed-bit": jumps(0x88, "= cs.selector 0x88\n= mem 0x108d u8 0x9b"),
  "jump-at-3": jumps(0xa8, "= cs.selector 0xab\n= cs.access 0xc0fb", user),
  "jump-limit": jumps(0x98, "= cs.selector 0x98\n= cs.limit 0x8fff\n= cs.access 0x409b"),
  "jump-null": refusesJump(0x0, GP),
  "jump-null-rpl-3": refusesJump(0x3, GP, 0),
  "jump-to-data": refusesJump(0x10, GP),
  "jump-beyond-table": refusesJump(0x108, GP),
  "jump-local": refusesJump(0xc, GP),
  "jump-rpl-3": refusesJump(0xb, GP),
  "jump-rpl-1": refusesJump(0x9, GP),
  "jump-to-dpl-3": refusesJump(0xa8, GP),
  "jump-to-dpl-1": refusesJump(0xa0, GP),
  "jump-conforming-dpl-3": refusesJump(0x80, GP),
  "jump-to-dpl-0-at-3": refusesJump(0x8, GP, 0x8, user),
  "jump-to-dpl-1-at-3": refusesJump(0xa1, GP, 0xa0, user),
  "jump-not-present": refusesJump(0x90, NP),
  // What it is comes before whether it is there.
  "jump-not-present-at-3": refusesJump(0x90, GP, 0x90, user),
  "jump-16-bit-operand": {
    mode: "protected",
    tried: "db 0x66, 0xea\ndw over\ndw 0x8",
    behind: "int3\nover:",
  },
  "jump-to-16-bit-code": {
    mode: "protected",
    tried: "db 0xea\ndd over\ndw 0x58",
    // MOV byte [0xd0000000], AL of 16-bit code.
    behind: `over:\ndb 0x67, 0xa2, ${bytes(0xd0000000, 4)}`,
    state: "= cs.selector 0x58\n= cs.limit 0xffff\n= cs.access 0x9b",
  },
  "jump-memory": {
    mode: "protected",
    before: "mov dword [0xa010], over\nmov dword [0xa014], 0x78",
    tried: `db 0xff, 0x2d, ${bytes(0xa010, 4)}`,
    behind: "int3\nover:",
    state: ({ over }) => `= cs.selector 0x78\n= cs.access 0xc09f\n= mem 0xa010 u32 [${over} 0x78]`,
  },
  "jump-memory-16": {
    mode: "protected",
    before: "mov dword [0xa010], over\nmov word [0xa012], 0x78",
    tried: `db 0x66, 0xff, 0x2d, ${bytes(0xa010, 4)}`,
    behind: "int3\nover:",
    state: ({ over }) => `= cs.selector 0x78\n= cs.access 0xc09f\n= mem 0xa010 u16 [${over} 0x78]`,
  },
  "call": {
    mode: "protected",
    tried: call(0x78),
    behind: "int3\nover:",
    state: ({ next }) =>
      `= cs.selector 0x78\n= cs.access 0xc09f\n= rsp 0x7ff8\n= mem 0x7ff8 u32 [${next} 0x8]`,
  },
  "call-at-3": {
    mode: "protected",
    machine: user,
    tried: call(0x78),
    behind: "int3\nover:",
    state: ({ next }) =>
      `= cs.selector 0x7b\n= cs.access 0xc09f\n= rsp 0x7ff8\n= mem 0x7ff8 u32 [${next} 0x1b]`,
  },
  "call-16-bit-operand": {
    mode: "protected",
    tried: "db 0x66, 0x9a\ndw over\ndw 0x78",
    behind: "int3\nover:",
    state: ({ next }) =>
      `= cs.selector 0x78\n= cs.access 0xc09f\n= rsp 0x7ffc\n= mem 0x7ffc u16 [${next} 0x8]`,
  },
  "call-null": { ...refusesJump(0x0, GP), tried: call(0x0) },
  "call-to-data": { ...refusesJump(0x10, GP), tried: call(0x10) },
  "call-not-present": { ...refusesJump(0x90, NP), tried: call(0x90) },
  "call-to-dpl-3": { ...refusesJump(0xa8, GP), tried: call(0xa8) },
  // Nothing is loaded when the offset is beyond the limit, nor pushed.
  "call-beyond-limit": {
    mode: "protected",
    tried: "db 0x9a\ndd 0x9000\ndw 0x98",
    fault: { vector: GP, error: 0 },
  },
  "return": {
    mode: "protected",
    before: "push 0x78\npush over",
    tried: "retf",
    behind: "int3\nover:",
    state: ({ over }) => `= cs.selector 0x78\n= cs.access 0xc09f\n= mem 0x7ff8 u32 [${over} 0x78]`,
  },
  "return-16-bit-operand": {
    mode: "protected",
    before: "push 0x780000 + over",
    tried: "db 0x66\nretf",
    behind: "int3\nover:",
    state: "= cs.selector 0x78\n= cs.access 0xc09f\n= mem 0x7ffc u32 *",
  },
  "return-imm": {
    mode: "protected",
    before: "push 0x1111\npush 0x2222\npush 0x8\npush over",
    tried: "retf 4",
    behind: "int3\nover:",
    state: ({ over }) => `= rsp 0x7ffc\n= mem 0x7ff0 u32 [${over} 0x8 0x2222 0x1111]`,
  },
  "return-accessed-bit": {
    mode: "protected",
    before: "push 0x88\npush over",
    tried: "retf",
    behind: "int3\nover:",
    state: ({ over }) =>
      `= cs.selector 0x88\n= mem 0x108d u8 0x9b\n= mem 0x7ff8 u32 [${over} 0x88]`,
  },
  "return-at-3": {
    mode: "protected",
    machine: user,
    before: "push 0xab\npush over",
    tried: "retf",
    behind: "int3\nover:",
    state: ({ over }) => `= cs.selector 0xab\n= cs.access 0xc0fb\n= mem 0x7ff8 u32 [${over} 0xab]`,
  },
  // Conforming: the DPL may be below the RPL, which is the CPL.
  "return-conforming-at-3": {
    mode: "protected",
    machine: user,
    before: "push 0x7b\npush over",
    tried: "retf",
    behind: "int3\nover:",
    state: ({ over }) => `= cs.selector 0x7b\n= cs.access 0xc09f\n= mem 0x7ff8 u32 [${over} 0x7b]`,
  },
  "return-null": refusesReturn(0x0, GP),
  "return-to-data": refusesReturn(0x10, GP),
  "return-beyond-table": refusesReturn(0x108, GP),
  "return-not-present": refusesReturn(0x90, NP),
  "return-to-dpl-3-rpl-0": refusesReturn(0xa8, GP),
  "return-conforming-dpl-3": refusesReturn(0x80, GP),
  "return-inward": refusesReturn(0x8, GP, 0x8, user),
  "return-inward-dpl-3": refusesReturn(0xa8, GP, 0xa8, user),
  "return-dpl-0-rpl-3": refusesReturn(0xb, GP, 0x8, user),
  "return-without-stack": {
    machine: { map: [{ virtual: 0xc000, physical: 0xc000, present: false }] },
    before: "mov qword [0xbff8], over\nmov esp, 0xbff8",
    tried: "db 0x48, 0xcb",
    behind: "over:",
    fault: { vector: PF, error: 0, rsp: 0xbff8 },
    state: ({ over }) => `= cr2 0xc000\n= mem 0xbff8 u64 ${over}`,
  },
  // Into compatibility mode, and back into 64-bit mode.
  "long-jump-to-compatibility": {
    before: "mov dword [0xa010], over\nmov word [0xa014], 0x8",
    tried: `db 0xff, 0x2c, 0x25, ${bytes(0xa010, 4)}`,
    // DEC EAX of 32-bit code: in 64-bit code it is a REX prefix.
    behind: "int3\nover:\ndb 0x48\nbits 32\nmov [0xd0000000], al\nbits 64",
    state: ({ over }) =>
      `= rax 0xffffffff\n= rflags 0x96\n= cs.selector 0x8\n= cs.access 0xc09b\n= mem 0xa010 u32 [${over} 0x8]`,
  },
  "compatibility-jump-to-long": {
    before: `mov dword [0xa010], middle\nmov word [0xa014], 0x8\ndb 0xff, 0x2c, 0x25, ${
      bytes(0xa010, 4)
    }\nmiddle:`,
    tried: "db 0xea\ndd over\ndw 0x28",
    behind: "int3\nover:\nmov rax, r15",
    state: ({ middle }) => `= rax 0xd0000000\n= mem 0xa010 u32 [${middle} 0x8]`,
  },
  // Each of the two words is 32 bits wide in compatibility mode.
  "compatibility-return-to-long": {
    before: `mov dword [0xa010], middle\nmov word [0xa014], 0x8\ndb 0xff, 0x2c, 0x25, ${
      bytes(0xa010, 4)
    }\nbits 32\nmiddle:\npush 0x28\npush over`,
    tried: "retf\nbits 64",
    behind: "int3\nover:\nmov rax, r15",
    state: ({ middle, over }) =>
      `= rax 0xd0000000\n= mem 0x7ff8 u32 [${over} 0x28]\n= mem 0xa010 u32 [${middle} 0x8]`,
  },
  "long-jump-rpl-3": {
    before: "mov dword [0xa010], over\nmov word [0xa014], 0x2b",
    tried: `db 0xff, 0x2c, 0x25, ${bytes(0xa010, 4)}\nover:`,
    fault: { vector: GP, error: 0x28 },
    state: ({ over }) => `= mem 0xa010 u32 [${over} 0x2b]`,
  },
  "long-jump-user": {
    machine: user,
    before: "mov dword [0xa010], over\nmov word [0xa014], 0x4b",
    tried: `db 0xff, 0x2c, 0x25, ${bytes(0xa010, 4)}`,
    behind: "int3\nover:",
    state: ({ over }) => `= mem 0xa010 u32 [${over} 0x4b]`,
  },
  "long-call-user": {
    machine: user,
    before: "mov dword [0xa010], over\nmov word [0xa014], 0x4b",
    tried: `db 0xff, 0x1c, 0x25, ${bytes(0xa010, 4)}`,
    behind: "int3\nover:",
    state: ({ over, next }) =>
      `= rsp 0x7ff8\n= mem 0x7ff8 u32 [${next} 0x4b]\n= mem 0xa010 u32 [${over} 0x4b]`,
  },
  // A register holds no far pointer.
  "jump-register": { tried: "db 0xff, 0xe8", fault: { vector: 6 } },
  "call-register": { tried: "db 0xff, 0xd8", fault: { vector: 6 } },
};

/** Far JMP, CALL and RET without a change of privilege: what they load, and what they refuse. */
export default defineCases("emulate/far", emulated(rows), ({ row, way }) => ({
  spec: [
    "SDM 2: JMP, CALL, RET (far transfers)",
    "SDM 3A 5.8.1: direct calls or jumps to code segments; 5.8.6: returns",
  ],
  ...tryOne({ ...row, machine: { descriptors, ...row.machine } }, way),
}));
