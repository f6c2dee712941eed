import { asm, defineCases, Mapping, UserFault } from "../../mod.ts";

const MSR_ASYNC_PF_EN = 0x4b564d02;
const MSR_ASYNC_PF_INT = 0x4b564d06;
const MSR_ASYNC_PF_ACK = 0x4b564d07;
const [ENABLED, SEND_ALWAYS, AS_INTERRUPT] = [1, 2, 8];
const VECTOR = 0x51;

interface Row {
  readonly privilege?: 3;
  /** Whether the guest is told at CPL 0, too. */
  readonly always: boolean;
  readonly access: string;
  /** What the first handler accesses, while the first page is still missing. */
  readonly inside?: string;
  /** The pages in the order in which the host supplies them. */
  readonly supplied: readonly number[];
  readonly state: string;
}

const rows: Record<string, Row> = {
  "read": {
    always: true,
    access: "mov rbx, [0x101008]",
    supplied: [1],
    state: "= rbx 0x1111111111111111",
  },
  "write": {
    always: true,
    access: "mov [0x101ff8], rdi\nmov rbx, [0x101ff8]",
    supplied: [1],
    state: "= rbx 0x7777",
  },
  "modify": {
    always: true,
    access: "add [0x101000], rdi\nmov rbx, [0x101000]",
    supplied: [1],
    state: "= rbx 0x1111111111118888",
  },
  "fetch": {
    always: true,
    access: "mov eax, 0x100000\ncall rax",
    supplied: [0],
    state: "= rbx 0x77",
  },
  "user": {
    privilege: 3,
    always: false,
    access: "mov rbx, [0x101008]",
    supplied: [1],
    state: "= rbx 0x1111111111111111",
  },
  "user-always": {
    privilege: 3,
    always: true,
    access: "mov rbx, [0x101008]",
    supplied: [1],
    state: "= rbx 0x1111111111111111",
  },
  "two-first-first": {
    always: true,
    access: "mov rbx, [0x101008]",
    inside: "mov rbp, [0x102010]",
    supplied: [1, 2],
    state: "= rbx 0x1111111111111111\n= rbp 0x2222222222222222",
  },
  "two-second-first": {
    always: true,
    access: "mov rbx, [0x101008]",
    inside: "mov rbp, [0x102010]",
    supplied: [2, 1],
    state: "= rbx 0x1111111111111111\n= rbp 0x2222222222222222",
  },
};

/**
 * A guest that touches memory which its host does not have yet gets #PF with a token instead, goes on
 * with something else, and is told by an interrupt with the same token when the page is there.
 */
export default defineCases("paravirt/async-page-fault", rows, (row) => {
  const { privilege, always, access, inside, supplied, state } = row;
  const faults = inside === undefined ? 1 : 2;
  return {
    spec: "KVM x86 MSRs: MSR_KVM_ASYNC_PF_EN, MSR_KVM_ASYNC_PF_INT, MSR_KVM_ASYNC_PF_ACK",
    mode: "long",
    irqchip: "kernel",
    requires: [
      "KVM_CAP_ASYNC_PF",
      "KVM_CAP_ASYNC_PF_INT",
      { allowed: "userfaultfd" },
      // Else KVM's emulator accesses the memory itself, and waits where no signal ends it.
      { backend: ["svm", "vmx"] },
    ],
    withoutLens: { restore: "a page that is missing cannot be saved" },
    machine: { rflags: { set: privilege ? 0x3200n : 0x200n }, ...(privilege && { privilege }) },
    registers: { rsi: 0xfee00000n, rdi: 0x7777n },
    handlers: { 14: "not_present", [VECTOR]: "ready" },
    guest: asm`
      mov dword [rsi + 0xf0], 0x1ff
      out 0x10, al                  ; the host switches it on, of which the guest is told
      switched_on:
      pause
      cmp dword [0xa100], 0
      je switched_on
      ${access}
      out 0x12, al
      not_present:
      push rcx
      push rax
      mov ecx, [0xa0f0]
      mov rax, cr2
      mov [0xa080 + rcx * 8], rax   ; the token
      mov eax, [0xa000]
      mov [0xa0a0 + rcx * 8], eax   ; the reason
      mov dword [0xa000], 0
      mov rax, [rsp + 16]
      mov [0xa0c0 + rcx * 8], rax   ; the error code
      inc dword [0xa0f0]
      pop rax
      pop rcx
      ${inside === undefined ? "" : `cmp dword [0xa0f0], 1\njne ask\nsti\nnop\n${inside}\njmp done`}
      ask:
      out 0x11, al                  ; the host supplies
      sti
      wait:
      pause
      cmp dword [0xa0f8], ${faults + 1}
      jne wait
      done:
      cli
      add rsp, 8
      iretq
      ready:
      push rax
      push rcx
      push rdx
      mov ecx, [0xa0f8]
      mov eax, [0xa004]
      mov [0xa100 + rcx * 4], eax
      inc dword [0xa0f8]
      mov dword [0xa004], 0
      mov dword [rsi + 0xb0], 0
      mov ecx, ${MSR_ASYNC_PF_ACK}
      mov eax, 1
      xor edx, edx
      wrmsr
      pop rdx
      pop rcx
      pop rax
      iretq
    `,
    drive({ vm, vcpu, run, read, assertEquals }) {
      using memory = Mapping.anonymous(0x3000);
      using fault = new UserFault(memory);
      const slot = { slot: 1, guestAddress: 0x100000, size: 0x3000 };
      // By its address: nobody but the guest may look at it.
      vm.memory.setSlot({ ...slot, memory: memory.address });
      run();
      const flags = ENABLED | AS_INTERRUPT | (always ? SEND_ALWAYS : 0);
      vcpu.setMsrs([
        { index: MSR_ASYNC_PF_INT, data: BigInt(VECTOR) },
        { index: MSR_ASYNC_PF_EN, data: BigInt(0xa000 | flags) },
      ]);
      run();
      for (const page of supplied) {
        const content = new Uint8Array(0x1000).fill(page * 0x11);
        if (page === 0) content.set([0xb3, 0x77, 0xc3]); // MOV BL, 0x77; RET
        fault.supply(page * 0x1000, content);
      }
      run();
      const words = (address: number, count: number, size: 4 | 8) =>
        Array.from({ length: count }, (_, index) => {
          const view = new DataView(read(address + index * size, 8).buffer);
          return size === 4 ? view.getUint32(0, true) : Number(view.getBigUint64(0, true));
        });
      const tokens = words(0xa080, faults, 8);
      const [broadcast, ...ready] = words(0xa100, faults + 1, 4);
      assertEquals("the token of all", broadcast, 0xffffffff);
      assertEquals("the tokens of the pages", ready.sort(), tokens.toSorted());
      assertEquals("different ones, none 0", new Set([0, ...tokens]).size, faults + 1);
      vm.memory.setSlot({ ...slot, size: 0 });
    },
    trace: `
      > slot 0x1 gpa=0x100000 size=0x3000
      pio out 0x10 u8 0x0
      > set-msrs msr.0x4b564d06=0x51 msr.0x4b564d02=0xa00${always ? "b" : "9"} -> 0x2
      pio out 0x11 u8 *
      pio out 0x12 u8 *
      > slot 0x1 gpa=0x100000 size=0x0
      ${state}
      = rax *
      = cr2 *
      = rflags *
      = mem 0xa000 u64 0x0
      = mem 0xa080 u64 [${"* ".repeat(faults)}]
      = mem 0xa0a0 u64 [${"0x1 ".repeat(faults)}]
      = mem 0xa0c0 u64 [${"0x0 ".repeat(faults)}]
      = mem 0xa0f0 u32 0x${faults}
      = mem 0xa0f8 u32 0x${faults + 1}
      = mem 0xa100 u32 [${"* ".repeat(faults + 1)}]
      = mem 0x7e00 u64 [${"* ".repeat(64)}]
      ${privilege ? `= mem 0x6e00 u64 [${"* ".repeat(64)}]` : ""}
    `,
  };
});
