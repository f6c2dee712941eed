import { asm, defineCases, Mapping } from "../../mod.ts";

/** Bytes into the slot's memory where the guest's clock is, and where it is then. */
const rows: Record<string, readonly [first: number, second: number]> = {
  "later-in-the-page": [0x1020, 0x17e0],
  "earlier-in-the-page": [0x1fc0, 0x1004],
  "end-of-the-page": [0x1000, 0x1fe0],
  "next-page": [0x1fe0, 0x2040],
  "page-before": [0x2040, 0xfe0],
};

/** Bytes of struct pvclock_vcpu_time_info, and where in it the multiplier is. */
const [CLOCK, MULTIPLIER] = [32, 24];

/** KVM writes a guest's clock where the guest says, to memory that nobody has touched yet, and nothing beside it. */
export default defineCases("paravirt/clock-place", rows, (places) => ({
  spec: "KVM x86 MSRs: MSR_KVM_SYSTEM_TIME_NEW",
  mode: "long",
  requires: [{ cpuid: "KVM-CLOCKSOURCE2" }],
  withoutLens: { restore: "a restored vCPU's clock is written anew" },
  guest: asm`
    out 0x10, al
    out 0x11, al
    hlt
  `,
  drive({ vm, vcpu, run, assertEquals }) {
    using own = Mapping.anonymous(0x3000);
    using other = Mapping.anonymous(0x3000);
    vm.memory.setSlot({ slot: 1, guestAddress: 0x100000, size: 0x3000, memory: own });
    run();
    for (const place of places) {
      vcpu.setMsrs([{ index: 0x4b564d01, data: BigInt(0x100000 + place) | 1n }]);
      run();
      const version = own.view.getUint32(place, true);
      assertEquals("the version is even, and not 0", version !== 0 && version % 2 === 0, true);
      const multiplier = own.view.getUint32(place + MULTIPLIER, true);
      assertEquals("there is a multiplier", multiplier !== 0, true);
      const written = [...own.bytes].flatMap((byte, at) => byte === 0 ? [] : [at]);
      const beside = written.filter((at) => at < place || at >= place + CLOCK);
      assertEquals("bytes that are written beside it", beside, []);
      // Memory that is only read is the same page of zeros everywhere.
      assertEquals("other memory is zero", other.bytes.every((byte) => byte === 0), true);
      own.bytes.fill(0);
    }
    vcpu.setMsrs([{ index: 0x4b564d01, data: 0n }]);
    vm.memory.setSlot({ slot: 1, guestAddress: 0, size: 0 });
  },
  trace: `
    > slot 0x1 gpa=0x100000 size=0x3000
    pio out 0x10 u8 0x0
    ${
    places.map((place, index) => `
      > set-msrs msr.0x4b564d01=0x${(0x100000 + place + 1).toString(16)} -> 0x1
      ${index === 0 ? "pio out 0x11 u8 0x0" : "hlt"}
    `).join("\n")
  }
    > set-msrs msr.0x4b564d01=0x0 -> 0x1
    > slot 0x1 gpa=0x0 size=0x0
  `,
}));
