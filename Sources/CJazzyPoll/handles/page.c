/* The public function that answers a request for a page. */
#include "handles/giving.h"
#include "jazzy/page.h"

jz_answer_status jz_page_respond(jz_page_request page, const jz_page_response *response)
{
    jz_answer *answer = NULL;
    if (page.number == 0) /* no request has it */
        return JZ_ANSWER_LATE;
    jz_answer_status status = jz_answer_responding(response, page.number, &answer);
    return status == JZ_ANSWER_TAKEN ? jz_answer_give((jz_ws){page.value}, page.route, answer) : status;
}
