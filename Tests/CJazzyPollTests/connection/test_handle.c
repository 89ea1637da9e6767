#include "connection/handle.h"

#include <inttypes.h>

#include "support/testing.h"

static const struct {
    uint8_t server;
    uint8_t loop;
    uint32_t slot;
    uint32_t generation;
    uint64_t value;
} handles[] = {
    {0, 0, 0, 0, 0},
    {1, 0, 0, 1, UINT64_C(0x0100000000000001)},
    {0, 0, 0, JZ_MAX_GENERATION, UINT64_C(0x0000000003FFFFFF)},
    {0, 0, 1, 0, UINT64_C(0x0000000004000000)},
    {0, 0, JZ_MAX_SLOTS - 1, 0, UINT64_C(0x0000FFFFFC000000)},
    {0, 1, 0, 0, UINT64_C(0x0001000000000000)},
    {0, 255, 0, 0, UINT64_C(0x00FF000000000000)},
    {255, 0, 0, 0, UINT64_C(0xFF00000000000000)},
    {255, 255, JZ_MAX_SLOTS - 1, JZ_MAX_GENERATION, UINT64_MAX},
    {0x12, 0x34, 0x15A5A5, 0x2C3C3C3, UINT64_C(0x1234569696C3C3C3)},
};

static void a_handle_has_the_bits_of_its_four_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(handles); i++) {
        uint16_t shard = (uint16_t)(handles[i].server << JZ_LOOP_BITS | handles[i].loop);
        jz_ws ws = jz_handle_make(shard, handles[i].slot, handles[i].generation);
        assert_that(ws.value == handles[i].value, "handle %zu: %016" PRIx64, i, ws.value);
    }
}

static void a_handle_gives_its_four_parts_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(handles); i++) {
        jz_ws ws = {handles[i].value};
        assert_int_equal(jz_handle_server(ws), handles[i].server);
        assert_int_equal(jz_handle_loop(ws), handles[i].loop);
        assert_int_equal(jz_handle_shard(ws), handles[i].server << JZ_LOOP_BITS | handles[i].loop);
        assert_int_equal(jz_handle_slot(ws), handles[i].slot);
        assert_int_equal(jz_handle_generation(ws), handles[i].generation);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handle_has_the_bits_of_its_four_parts),
        cmocka_unit_test(a_handle_gives_its_four_parts_back),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("handle", tests, NULL, NULL));
}
