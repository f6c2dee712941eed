import { asm, defineCases } from "../../mod.ts";
import { requires, underHyperv } from "./_hyperv.ts";

interface Row {
  /** The timer, 0 to 3. */
  timer: number;
  /** The source, 1 to 15. */
  source: number;
  /** Its register; default: vector 0x71. */
  sint?: number;
  /** Bits of the timer's configuration beside enable and source. */
  configuration?: number;
  /** What runs once the timer is on, up to where all is said. */
  guest: string;
  trace?: string;
  /** What lies in the slot at last, in words of 32 bits; default: the timer's message. */
  slot?: string;
  state?: string;
}

/** WRMSR of a value of 32 bits. */
const set = (index: number, value: number | string) =>
  `mov ecx, ${index}\nmov eax, ${value}\nxor edx, edx\nwrmsr`;
const slotOf = (source: number) => 0xb000 + 0x100 * source;
/** Until vector 0x71 is pending. */
const untilPending = (label: string) => `
  ${label}:
  pause
  test dword [rsi + 0x230], 0x20000
  jz ${label}
`;
/** Until the slot's flag says that a message waits. */
const untilWaiting = (label: string, source: number) => `
  ${label}:
  pause
  test byte [${slotOf(source) + 5}], 1
  jz ${label}
`;

/** HVMSG_TIMER_EXPIRED, 24 bytes: the timer, when it expired, and when that was told. */
const message = (timer: number, expired = "0x1 0x0") =>
  `0x80000010 0x18 0x0 0x0 0x${timer.toString(16)} 0x0 ${expired} * *`;

const rows: Record<string, Row> = {
  "timer-0": { timer: 0, source: 2, guest: untilPending("wait") },
  "timer-3": { timer: 3, source: 15, guest: untilPending("wait") },
  "source-1": { timer: 1, source: 1, guest: untilPending("wait") },
  // A write of the count switches it on.
  "auto-enable": {
    timer: 1,
    source: 3,
    configuration: 0x8,
    guest: `${set(0x400000b2, 0x30008)}\n${set(0x400000b3, 1)}\n${untilPending("wait")}`,
  },
  "periodic": {
    timer: 2,
    source: 4,
    configuration: 0x2,
    guest: `
      ${set(0x400000b5, 1000)}
      ${untilPending("wait")}
      ${set(0x400000b4, 0)}
    `,
    slot: message(2, "* *"),
  },
  // A message that is not yet read stays, and the next one waits for the end of it.
  "slot-in-use": {
    timer: 0,
    source: 2,
    guest: `
      ${untilWaiting("wait", 2)}
      mov eax, [rsi + 0x230]
      out 0x11, eax
      mov eax, [${slotOf(2)}]
      out 0x12, eax
      mov dword [${slotOf(2)}], 0
      ${set(0x40000084, 0)}           ; end of message
      ${untilPending("again")}
    `,
    trace: "pio out 0x11 u32 0x0\npio out 0x12 u32 0x1",
  },
  // The end of the interrupt is one of its message as well.
  "end-of-interrupt": {
    timer: 0,
    source: 5,
    guest: `
      ${untilPending("wait")}
      mov edi, service
      sti
      nop
      again:
      pause
      test byte [${slotOf(5) + 16}], 3
      jz again
      cli
      jmp told
      second:
      mov dword [rsi + 0xb0], 0
      iretq
      service:
      mov edi, second
      mov ebp, [rsi + 0x130]
      ${set(0x400000b7, 1)}
      ${set(0x400000b6, 0x50001)}     ; timer 3, of the same source
      ${untilWaiting("waiting", 5)}
      mov dword [${slotOf(5)}], 0
      mov dword [rsi + 0xb0], 0
      iretq
      told:
    `,
    slot: message(3),
    state: "= rbp 0x20000\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]",
  },
  // With AutoEOI it is not in service when it is delivered.
  "auto-eoi": {
    timer: 0,
    source: 6,
    sint: 0x20071,
    guest: `
      ${untilPending("wait")}
      mov edi, service
      sti
      nop
      nop
      cli
      jmp told
      service:
      inc ebp
      mov eax, [rsi + 0x130]
      out 0x11, eax
      iretq
      told:
    `,
    trace: "pio out 0x11 u32 0x0",
    state: "= rbp 0x1\n= mem 0x7fd8 u64 [* 0x28 * 0x8000 0x30]",
  },
  // The message waits until there is a page, and the next end of a message.
  "page-off": {
    timer: 0,
    source: 7,
    guest: `
      ${set(0x40000083, 0xb001)}
      ${set(0x40000084, 0)}
      ${untilPending("wait")}
    `,
    trace: "hyperv-synic 0x40000083 control=0x1 siefp=0x0 simp=0xb001",
  },
  // No message but the vector alone.
  "direct": {
    timer: 0,
    source: 0,
    configuration: 0x1710,
    guest: untilPending("wait"),
    slot: "",
  },
};

/** A timer that expires writes a message into its source's slot, and raises the source's vector. */
export default defineCases("hyperv/message", rows, (row, name) => {
  const { timer, source, sint = 0x71, configuration = 0, guest, trace = "", state = "" } = row;
  const slot = row.slot ?? message(timer);
  const index = 0x400000b0 + 2 * timer;
  const kept = configuration & ~8 | source << 16;
  const simp = name === "page-off" ? 0xb000 : 0xb001;
  const started = name === "auto-enable" || name === "periodic"
    ? name === "periodic" ? set(index, kept | 1) : ""
    : `${set(index + 1, 1)}\n${set(index, kept | 1)}`;
  return {
    spec: [
      "TLFS 12.4: synthetic timer expiration messages",
      "TLFS 11.8: SIM page; 11.9: SINT registers (AutoEOI); 11.10: message buffers",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires: [...requires, "KVM_CAP_HYPERV_SYNIC2"],
    registers: { rsi: 0xfee00000n },
    handlers: { 0x71: "handler" },
    ...underHyperv({
      handlers: { 0x71: "handler" },
      guest: asm`
        mov dword [rsi + 0xf0], 0x1ff
        ${name === "slot-in-use" ? `mov dword [${slotOf(source)}], 1` : ""}
        ${set(0x40000080, 1)}
        ${set(0x40000083, simp)}
        ${source > 0 ? set(0x40000090 + source, sint) : ""}
        ${started}
        ${guest}
        mov ecx, ${index}
        rdmsr
        out 0x10, eax
        xor eax, eax
        xor ecx, ecx
        xor edi, edi
        out 0xf4, al
        handler:
        jmp rdi
      `,
      trace: `
        > enable hyperv-synic2
        hyperv-synic 0x40000080 control=0x1 siefp=0x0 simp=0x0
        hyperv-synic 0x40000083 control=0x1 siefp=0x0 simp=0x${simp.toString(16)}
        ${trace}
        pio out 0x10 u32 0x${(name === "periodic" ? 0 : configuration | source << 16).toString(16)}
        pio out 0xf4 u8 0x0
        = rflags 0x46
        ${slot === "" ? "" : `= mem 0x${slotOf(source).toString(16)} u32 [${slot}]`}
        ${state}
      `,
    }, ({ vcpu }) => vcpu.enableCapability("KVM_CAP_HYPERV_SYNIC2")),
  };
});
