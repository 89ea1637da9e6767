/* A thread outside of the loops, and its calls of the server. */
#include <sched.h>
#include <time.h>

#include "scene.h"

/* Without the lock, because the thread that takes the answer may be waiting for it. */
static void answer_question(scene *scene)
{
    pthread_mutex_lock(&scene->questions_lock);
    bool has_one = scene->question_count > 0;
    size_t last = has_one ? --scene->question_count : 0;
    jz_handshake question = scene->questions[last];
    client *asker = scene->askers[last];
    pthread_mutex_unlock(&scene->questions_lock);
    if (has_one && !scene_answer(scene, question, asker, true))
        scene_keep_question(scene, question, asker);
}

static void act_on(scene *scene, client *client, test_random *random)
{
    uint8_t topic = (uint8_t)test_random_below(random, SCENE_TOPICS);
    size_t length =
        test_random_below(random, 4) == 0 ? test_random_below(random, 20000) : test_random_below(random, 200);
    switch (test_random_below(random, 12)) {
    case 0:
    case 1:
    case 2:
        scene_send(scene, client, JZ_MESSAGE_TEXT, length);
        break;
    case 3:
        scene_publish(scene, client, topic, length);
        break;
    case 4:
        scene_publish(scene, NULL, topic, length);
        break;
    case 5:
    case 6:
        scene_subscribe(client, topic, true);
        break;
    case 7:
        scene_subscribe(client, topic, false);
        break;
    case 8:
        scene_pause(scene, client, true);
        break;
    default:
        scene_pause(scene, client, false);
        break;
    }
}

void *act_outside(void *context)
{
    const struct timespec moment = {.tv_nsec = 300000};
    scene *scene = context;
    test_random random = {scene->seed ^ 0x0175};
    faults_spare();
    while (!scene->is_over) {
        answer_question(scene);
        if (scene->is_ending) {
            for (size_t i = 0; i < SCENE_CLIENTS; i++)
                scene_pause(scene, &scene->clients[i], false);
        } else {
            act_on(scene, &scene->clients[test_random_below(&random, SCENE_CLIENTS)], &random);
        }
        nanosleep(&moment, NULL);
    }
    faults_spare_no_more();
    return NULL;
}
