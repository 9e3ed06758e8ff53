/* test_devices — the program that decides about devices is run, question by question, by a small interpreter of our own,
 * the kernel itself is asked by t452. */
#include "suite.h"

#include "base/alloc.h"
#include "schema/device.h"
#include "stage1/lib/devices.h"

/* Just the instructions that such programs consist of; anything else fails the test. */
static int64_t interpret(const struct bpf_insn *p, uint32_t n, const uint32_t ctx[3])
{
	uint64_t r[11] = { 0 };
	bool set[11] = { [1] = true }; /* the kernel refuses a program that reads what was never written */

	for (uint32_t pc = 0; pc < n; pc++) {
		const struct bpf_insn *i = &p[pc];
		uint64_t imm = (uint64_t)(int64_t)i->imm;
		bool moves = i->code == (BPF_ALU64 | BPF_MOV | BPF_K) ||
			     i->code == (BPF_ALU64 | BPF_MOV | BPF_X) ||
			     i->code == (BPF_LDX | BPF_MEM | BPF_W);
		bool jumps = i->code == (BPF_JMP | BPF_JA) || i->code == (BPF_JMP | BPF_EXIT);

		ck_assert_msg(moves || jumps || set[i->dst_reg], "instruction %u: register %u", pc,
			      i->dst_reg);
		ck_assert(i->code != (BPF_ALU64 | BPF_MOV | BPF_X) || set[i->src_reg]);
		ck_assert(i->code != (BPF_JMP | BPF_EXIT) || set[0]);
		set[i->dst_reg] = set[i->dst_reg] || moves;
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			ck_assert_uint_eq(i->src_reg, 1);
			r[i->dst_reg] = ctx[i->off / 4];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_X:
			r[i->dst_reg] = r[i->src_reg];
			break;
		case BPF_ALU64 | BPF_MOV | BPF_K:
			r[i->dst_reg] = imm;
			break;
		case BPF_ALU64 | BPF_AND | BPF_K:
			r[i->dst_reg] &= imm;
			break;
		case BPF_ALU64 | BPF_RSH | BPF_K:
			r[i->dst_reg] >>= imm;
			break;
		case BPF_JMP | BPF_JA:
			pc += (uint32_t)i->off;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += r[i->dst_reg] != imm ? (uint32_t)i->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int64_t)r[0];
		default:
			ck_abort_msg("instruction %u: code %x", pc, i->code);
		}
	}
	ck_abort_msg("the program does not end");
	return -1;
}

static bool may(const struct vol_mounts *l, char type, unsigned int dev_major, unsigned int dev_minor,
		unsigned int access)
{
	uint32_t n = 0;
	struct bpf_insn *p = devices_program(l, &n);
	uint32_t bits = (access & DEVICE_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0) |
			(access & DEVICE_READ ? BPF_DEVCG_ACC_READ : 0) |
			(access & DEVICE_WRITE ? BPF_DEVCG_ACC_WRITE : 0);
	uint32_t ctx[3] = { bits << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR), dev_major,
			    dev_minor };
	int64_t r = interpret(p, n, ctx);

	free(p);
	ck_assert(r == 0 || r == 1);
	return r == 1;
}

#define R DEVICE_READ
#define W DEVICE_WRITE
#define M DEVICE_MKNOD

START_TEST(the_usual_devices_and_no_others)
{
	struct vol_mounts none = { NULL, 0 };

	ck_assert(may(&none, 'c', 1, 3, R | W));
	ck_assert(may(&none, 'c', 1, 9, R));
	ck_assert(may(&none, 'c', 1, 3, M));
	ck_assert(may(&none, 'c', 136, 0, R | W));
	ck_assert(may(&none, 'c', 136, 1048575, W));
	ck_assert(!may(&none, 'b', 1, 3, R));
	ck_assert(!may(&none, 'c', 1, 1, R)); /* mem */
	ck_assert(!may(&none, 'c', 1, 11, R));
	ck_assert(!may(&none, 'c', 137, 0, R));
	ck_assert(!may(&none, 'c', 10, 229, R));
	ck_assert(!may(&none, 'b', 8, 0, M));
}
END_TEST

START_TEST(what_was_given_with_the_rights_given)
{
	struct vol_mount v[] = {
		{ .is_dir = true }, /* an ordinary volume */
		{ .device = { 'c', 10, 229, R } },
		{ .device = { 'b', 259, 4294967, R | W } },
		{ .device = { 'c', 10, 232, W | M } },
	};
	struct vol_mounts l = { v, ARRAY_LEN(v) };

	ck_assert(may(&l, 'c', 10, 229, R));
	ck_assert(!may(&l, 'c', 10, 229, W));
	ck_assert(!may(&l, 'c', 10, 229, R | W));
	ck_assert(!may(&l, 'c', 10, 229, M));
	ck_assert(!may(&l, 'c', 10, 230, R));
	ck_assert(!may(&l, 'b', 10, 229, R));
	ck_assert(may(&l, 'b', 259, 4294967, R | W));
	ck_assert(!may(&l, 'b', 259, 4294967, M));
	ck_assert(may(&l, 'c', 10, 232, W));
	ck_assert(may(&l, 'c', 10, 232, M));
	ck_assert(!may(&l, 'c', 10, 232, R));
	ck_assert(!may(&l, 'c', 0, 0, R)); /* the volume that is no device */
	ck_assert(may(&l, 'c', 1, 5, R | W));
}
END_TEST

START_TEST(kinds_of_files)
{
	struct stat st;

	ck_assert_int_eq(stat("/dev/null", &st), 0);
	struct vol_device d = devices_of(&st, R);
	ck_assert_int_eq(d.type, 'c');
	ck_assert_uint_eq(d.major, 1);
	ck_assert_uint_eq(d.minor, 3);
	ck_assert_uint_eq(d.access, R);
	ck_assert_int_eq(stat("/etc", &st), 0);
	ck_assert_int_eq(devices_of(&st, R).type, 0);
}
END_TEST

int main(void)
{
	return SUITE_RUN("devices", the_usual_devices_and_no_others, what_was_given_with_the_rights_given,
			 kinds_of_files);
}
