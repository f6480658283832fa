//! HTTPS, as in AWS: a server whose certificate has to be trusted.

use crate::{
    architectures::on_both,
    cloudwatch,
    handler::{Handler, PUT_METRIC_DATA},
    program,
};
use lambda_duet::protocol::Architecture;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::{path::PathBuf, sync::Arc};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_rustls::{TlsAcceptor, rustls};

on_both!(metrics_arrive_over_tls);

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\nconnection: close\r\n\r\n{\"ok\":true}";

/// A server on the loopback interface and the certificate that clients must trust.
struct Server {
    listener: TcpListener,
    tls: TlsAcceptor,
    certificate: PathBuf,
}

impl Server {
    async fn start(name: &str) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.pem"));
        std::fs::write(&certificate, cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        Self { listener, tls: TlsAcceptor::from(Arc::new(config)), certificate }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}", self.listener.local_addr().unwrap().port())
    }

    fn certificate(&self) -> &str {
        self.certificate.to_str().unwrap()
    }

    /// Answers one connection, and returns the beginning of the request that came through it.
    async fn answer(&self) -> std::io::Result<String> {
        let (connection, _) = self.listener.accept().await?;
        let mut connection = self.tls.accept(connection).await?;
        let mut request = vec![0; 1024];
        let length = connection.read(&mut request).await?;
        connection.write_all(ANSWER).await?;
        connection.shutdown().await?;
        Ok(String::from_utf8_lossy(&request[..length]).into_owned())
    }

    fn call(&self) -> Command {
        let mut command = Command::from(program::duet());
        command.args(["call", &self.url(), "--no-auth"]).env("SSL_CERT_FILE", self.certificate());
        for proxy in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(proxy);
        }
        command
    }
}

#[tokio::test]
async fn the_command_line_talks_to_a_trusted_server() {
    let server = Server::start("trusted").await;
    let (output, request) = tokio::join!(server.call().output(), server.answer());
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "{\"ok\":true}\n");
    assert!(request.unwrap().starts_with("POST / HTTP/1.1\r\n"));
}

#[tokio::test]
async fn the_command_line_rejects_an_untrusted_server() {
    let [server, other] = [Server::start("stranger").await, Server::start("other").await];
    let mut call = server.call();
    call.env("SSL_CERT_FILE", other.certificate());
    let (output, request) = tokio::join!(call.output(), server.answer());
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(request.is_err(), "a request was sent to a server that is not trusted");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("certificate"), "{message}");
}

/// Opens one tunnel as a proxy, and returns the request for it.
async fn tunnel(mut client: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<String> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(client.read_u8().await?);
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let host = request.split(' ').nth(1).unwrap();
    let mut server = TcpStream::connect(host).await?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    // Either side may close first.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
    Ok(request)
}

#[tokio::test]
async fn the_command_line_talks_to_a_trusted_server_through_a_proxys_tunnel() {
    for scheme in ["http", "https"] {
        let server = Server::start(&format!("tunnel-{scheme}")).await;
        let proxy = TcpListener::bind("localhost:0").await.unwrap();
        let mut call = server.call();
        call.env("HTTPS_PROXY", format!("{scheme}://me:s3cret@localhost:{}", proxy.local_addr().unwrap().port()));
        let asked = async {
            let (client, _) = proxy.accept().await?;
            if scheme == "http" { tunnel(client).await } else { tunnel(server.tls.accept(client).await?).await }
        };
        let (output, request, asked) = tokio::join!(call.output(), server.answer(), asked);
        assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "{\"ok\":true}\n");
        // Within the tunnel it is an ordinary request, and the proxy's password is not in it.
        let request = request.unwrap();
        assert!(request.starts_with("POST / HTTP/1.1\r\n") && !request.to_lowercase().contains("proxy"), "{request}");
        let asked = asked.unwrap().to_lowercase();
        let host = server.url().replace("https://", "connect ");
        assert!(asked.starts_with(&host) && asked.contains("proxy-authorization: basic bwu6cznjcmv0"), "{asked}");
    }
}

async fn metrics_arrive_over_tls(architecture: Architecture) {
    let server = Server::start(&architecture.to_string()).await;
    let url = server.url();
    let variables = cloudwatch::variables(&url).into_iter().chain([("SSL_CERT_FILE", server.certificate())]);
    let mut handler = Handler::start_with(architecture, variables).await;
    handler.direct(r#"{"workloads":["math/primes"],"size":100}"#).await.unwrap();
    let request = server.answer().await.unwrap();
    assert!(request.starts_with(PUT_METRIC_DATA), "{request}");
}
