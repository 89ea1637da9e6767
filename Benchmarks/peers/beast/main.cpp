// An echo server on Boost.Beast, for comparison: beast --port N [--deflate] [--certificate FILE --key FILE].
//
// One thread, and so no strands; a flat buffer, so that a message is one piece; no time-outs, which cost a timer for each
// operation; text is checked as always.
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <optional>
#include <type_traits>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using Secured = beast::ssl_stream<tcp::socket>;

// Layer: a socket, or one with TLS.
template <class Layer> class Session : public std::enable_shared_from_this<Session<Layer>> {
public:
    template <class... Arguments>
    explicit Session(bool uses_deflate, Arguments &&...arguments) : stream(std::forward<Arguments>(arguments)...)
    {
        beast::get_lowest_layer(stream).set_option(tcp::no_delay(true));
        stream.read_message_max(16 * 1024 * 1024);
        if (uses_deflate) {
            websocket::permessage_deflate deflate;
            deflate.server_enable = true;
            deflate.server_no_context_takeover = true;
            deflate.client_no_context_takeover = true;
            deflate.compLevel = 6;
            stream.set_option(deflate);
        }
    }

    void run()
    {
        if constexpr (std::is_same_v<Layer, Secured>) {
            stream.next_layer().async_handshake(asio::ssl::stream_base::server,
                                                [self = this->shared_from_this()](beast::error_code error) {
                                                    if (!error)
                                                        self->open();
                                                });
        } else {
            open();
        }
    }

private:
    void open()
    {
        stream.async_accept([self = this->shared_from_this()](beast::error_code error) {
            if (!error)
                self->read();
        });
    }

    void read()
    {
        stream.async_read(buffer, [self = this->shared_from_this()](beast::error_code error, std::size_t) {
            if (!error)
                self->write();
        });
    }

    void write()
    {
        stream.text(stream.got_text());
        stream.async_write(buffer.data(), [self = this->shared_from_this()](beast::error_code error, std::size_t) {
            self->buffer.consume(self->buffer.size());
            if (!error)
                self->read();
        });
    }

    websocket::stream<Layer> stream;
    beast::flat_buffer buffer;
};

static void accept(tcp::acceptor &acceptor, bool uses_deflate, asio::ssl::context *tls)
{
    acceptor.async_accept([&acceptor, uses_deflate, tls](beast::error_code error, tcp::socket socket) {
        if (!error && tls != nullptr)
            std::make_shared<Session<Secured>>(uses_deflate, std::move(socket), *tls)->run();
        else if (!error)
            std::make_shared<Session<tcp::socket>>(uses_deflate, std::move(socket))->run();
        accept(acceptor, uses_deflate, tls);
    });
}

int main(int count, char **arguments)
{
    unsigned short port = 8080;
    bool uses_deflate = false;
    const char *certificate = nullptr;
    const char *key = nullptr;
    for (int i = 1; i < count; i++) {
        if (std::strcmp(arguments[i], "--port") == 0 && i + 1 < count) {
            port = static_cast<unsigned short>(std::atoi(arguments[++i]));
        } else if (std::strcmp(arguments[i], "--certificate") == 0 && i + 1 < count) {
            certificate = arguments[++i];
        } else if (std::strcmp(arguments[i], "--key") == 0 && i + 1 < count) {
            key = arguments[++i];
        } else if (std::strcmp(arguments[i], "--deflate") == 0) {
            uses_deflate = true;
        } else {
            std::cerr << "usage: beast --port N [--deflate] [--certificate FILE --key FILE]\n";
            return 2;
        }
    }
    try {
        asio::io_context context(1);
        tcp::acceptor acceptor(context, {tcp::v4(), port});
        std::optional<asio::ssl::context> tls;
        if (certificate != nullptr && key != nullptr) {
            tls.emplace(asio::ssl::context::tls_server);
            tls->use_certificate_chain_file(certificate);
            tls->use_private_key_file(key, asio::ssl::context::pem);
        }
        accept(acceptor, uses_deflate, tls ? &*tls : nullptr);
        std::cout << "listening on port " << port << std::endl;
        context.run();
    } catch (const std::exception &error) {
        std::cerr << "beast: " << error.what() << "\n";
        return 1;
    }
}
