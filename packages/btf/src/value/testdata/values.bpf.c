/* Variables with values of every kind, for both byte orders: see make.sh. */
typedef unsigned char u8;
typedef unsigned long long u64;

enum color { RED, GREEN = 5, NONE = -1 };

struct flags {
	unsigned int a : 1, b : 5, c : 26;
	int d : 7;
	u64 e : 40;
	enum color f : 4;
	_Bool g : 1;
	unsigned char h : 3;
};

struct packed {
	u8 a;
	short b;
	int c : 11;
	u64 d : 61;
	u8 e;
} __attribute__((packed));

struct nested {
	int id;
	union {
		struct {
			short low, high;
		};
		unsigned int both;
	};
	struct {
		const char name[8];
		char raw[4];
		u8 mac[6];
	} inner[2];
	enum color colors[3];
	void *pointer;
	_Bool yes, no;
	float f;
	double d;
	__int128 wide;
	long long small;
	unsigned char letter;
};

struct flexible {
	int count;
	short values[];
};

volatile struct flags flags = { 1, 17, 0x2abcdef, -3, 0x123456789aULL, GREEN, 1, 6 };
volatile struct packed packed = { 0xab, -2, -1000, 0x1234567890abcdefULL, 0xcd };
volatile struct nested nested = {
	.id = -7,
	.both = 0x12345678,
	.inner = { { "Alice", { 'a', 'b', 'c', 'd' }, { 0, 0x50, 0x56, 1, 2, 3 } }, { "", { 1 }, { 0 } } },
	.colors = { GREEN, NONE, 3 },
	.pointer = (void *)0xffff888012345678,
	.yes = 1,
	.f = 1.5f,
	.d = -0.1,
	.wide = -((__int128)1 << 100),
	.small = -5,
	.letter = 'x',
};
volatile struct flexible flexible = { 4, { 10, -20, 30, -40 } };
static volatile int counter = 42;

int use(void)
{
	return flags.a + packed.a + nested.id + flexible.count + counter;
}
