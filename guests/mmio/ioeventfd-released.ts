import { asm, defineCases, EventFd } from "../../mod.ts";

interface Row {
  size: 0 | 4;
  match?: number;
  /** What a release names, and its answer. */
  release: { other?: true; space?: "pio"; address?: number; size?: number; match?: number };
  released: boolean;
}

const rows: Record<string, Row> = {
  "any-length": { size: 0, release: {}, released: true },
  "size": { size: 4, release: {}, released: true },
  "match": { size: 4, match: 7, release: {}, released: true },
  // Nothing that is named otherwise is released.
  "another-eventfd": { size: 4, release: { other: true }, released: false },
  "another-space": { size: 4, release: { space: "pio" }, released: false },
  "another-address": { size: 4, release: { address: 0xd0000044 }, released: false },
  "another-match": { size: 4, match: 7, release: { match: 8 }, released: false },
  "any-match": { size: 4, match: 7, release: { match: undefined }, released: false },
  "match-of-any": { size: 4, release: { match: 7 }, released: false },
};

/** A release of what was assigned, all of it named as it was, gives the writes back to user space. */
export default defineCases(
  "mmio/ioeventfd-released",
  rows,
  ({ size, match, release, released }) => ({
    spec: "KVM API 4.59: KVM_IOEVENTFD, KVM_IOEVENTFD_FLAG_DEASSIGN",
    mode: "long",
    requires: size === 0
      ? ["KVM_CAP_IOEVENTFD", "KVM_CAP_IOEVENTFD_ANY_LENGTH"]
      : ["KVM_CAP_IOEVENTFD"],
    registers: { rdi: 0xd0000040n },
    guest: asm`
    mov dword [rdi], 7
    out 0x10, al                    ; the host releases it
    mov dword [rdi], 7
    hlt
  `,
    drive({ vm, run, note, attempt, assertEquals }) {
      using event = new EventFd();
      using other = new EventFd();
      const assigned = { space: "mmio", address: 0xd0000040, size, match } as const;
      vm.events.assign(event, assigned);
      run();
      const { other: another, ...changed } = release;
      attempt(() => vm.events.release(another ? other : event, { ...assigned, ...changed }));
      while (run().reason === "mmio");
      note("eventfd", [], event.take());
      assertEquals("the other eventfd", other.take(), 0n);
    },
    trace: () => {
      const named = { space: "mmio", address: 0xd0000040, size, match, ...release };
      const operands = (space: string, address: number, bytes: number, value?: number) =>
        `${space} 0x${address.toString(16)} size=0x${bytes}${
          value === undefined ? "" : ` match=0x${value}`
        }`;
      return `
      > ioeventfd ${operands("mmio", 0xd0000040, size, match)}
      pio out 0x10 u8 0x0
      > ioeventfd-release ${operands(named.space, named.address, named.size, named.match)} ${
        released ? "" : "-> ENOENT"
      }
      ${released ? "mmio write 0xd0000040 u32 0x7" : ""}
      hlt
      > eventfd -> ${released ? "0x1" : "0x2"}
    `;
    },
  }),
);
